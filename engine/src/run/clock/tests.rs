use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Instant,
};

use super::*;

fn sim(speed: Option<f64>) -> Arc<SimClock> {
    Arc::new(SimClock::new(1_000_000, speed))
}

fn never() -> bool {
    false
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

type Body = Box<dyn FnOnce(&SimClock) + Send>;

/// Runs bodies as threads that all count as working before the first one runs.
fn threads(clock: &Arc<SimClock>, bodies: Vec<Body>) {
    bodies.iter().for_each(|_| clock.enter());
    std::thread::scope(|scope| {
        for body in bodies {
            scope.spawn(|| {
                body(clock);
                clock.leave();
            });
        }
    });
}

#[test]
fn the_length_is_the_critical_path() {
    for _ in 0..50 {
        let clock = sim(None);
        let ends = Arc::new(Mutex::new(Vec::new()));
        let bodies = (1..=8u64).map(|n| {
            let ends = ends.clone();
            let body = move |clock: &SimClock| {
                for _ in 0..20 {
                    assert_eq!(clock.sleep(seconds(n), &never), Ok(()));
                }
                ends.lock().unwrap_or_else(|e| e.into_inner()).push((clock.now_ms() - 1_000_000, n));
            };
            Box::new(body) as Body
        });
        threads(&clock, bodies.collect());
        let mut ends = ends.lock().unwrap_or_else(|e| e.into_inner()).clone();
        ends.sort_unstable();
        let expected: Vec<(i64, u64)> = (1..=8).map(|n| (n as i64 * 20_000, n)).collect();
        assert_eq!(ends, expected);
        assert_eq!(clock.now_ms(), 1_160_000);
    }
}

#[test]
fn time_stands_still_while_somebody_works() {
    let clock = sim(None);
    let (tell, told) = mpsc::channel();
    clock.enter();
    clock.enter();
    std::thread::scope(|scope| {
        let clock = &clock;
        scope.spawn(move || {
            let slept = clock.sleep(seconds(60), &never);
            clock.leave();
            tell.send(slept)
        });
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
        assert_eq!(clock.now_ms(), 1_000_000);
        clock.leave();
        assert_eq!(told.recv(), Ok(Ok(())));
    });
    assert_eq!(clock.now_ms(), 1_060_000);
}

#[test]
fn a_nudged_sleeper_stops_at_once_and_time_does_not_jump() {
    for speed in [None, Some(1.0)] {
        let clock = sim(speed);
        let stop = AtomicBool::new(false);
        // With a jump the other thread keeps time from moving; at a pace an hour is long enough.
        clock.enter();
        if speed.is_none() {
            clock.enter();
        }
        let began = Instant::now();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| clock.sleep(seconds(3600), &|| stop.load(Ordering::SeqCst)));
            std::thread::sleep(Duration::from_millis(20));
            stop.store(true, Ordering::SeqCst);
            clock.nudge();
            assert_eq!(sleeper.join().ok(), Some(Err(Interrupted)));
        });
        assert!(began.elapsed() < seconds(10));
        assert!(clock.now_ms() < 1_010_000);
    }
}

#[test]
fn the_stop_may_ask_the_clock() {
    let clock = sim(None);
    clock.enter();
    let stop = || clock.now_ms() >= 1_500_000;
    assert_eq!(clock.sleep(seconds(60), &stop), Ok(()));
    assert_eq!(clock.now_ms(), 1_060_000);
}

#[test]
fn a_paced_clock_takes_real_time_and_ends_exactly() {
    let clock = sim(Some(1000.0));
    clock.enter();
    let began = Instant::now();
    assert_eq!(clock.sleep(seconds(30), &never), Ok(()));
    assert!(began.elapsed() >= Duration::from_millis(29));
    assert_eq!(clock.now_ms(), 1_030_000);
}

#[test]
fn a_panicking_thread_does_not_hold_the_others() {
    let clock: Arc<dyn Time> = sim(None);
    let other = clock.clone();
    let mine = Working::begin(&clock);
    let panicked = std::thread::spawn(move || {
        let _working = Working::begin(&other);
        std::panic::panic_any("on purpose");
    });
    assert!(panicked.join().is_err());
    assert_eq!(clock.sleep(seconds(5), &never), Ok(()));
    drop(mine);
    assert_eq!(clock.now_ms(), 1_005_000);
}

#[test]
fn time_goes_on_from_an_earlier_process() {
    let clock = sim(None);
    clock.not_before(2_000_000);
    clock.not_before(1_500_000);
    assert_eq!(clock.now_ms(), 2_000_000);
}

#[test]
fn wall_time_is_interrupted_by_a_nudge() {
    let clock = WallClock::default();
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| clock.sleep(seconds(3600), &|| stop.load(Ordering::SeqCst)));
        stop.store(true, Ordering::SeqCst);
        clock.nudge();
        assert_eq!(sleeper.join().ok(), Some(Err(Interrupted)));
    });
    assert!(began.elapsed() < seconds(10));
    assert_eq!(clock.sleep(Duration::from_millis(2), &never), Ok(()));
}
