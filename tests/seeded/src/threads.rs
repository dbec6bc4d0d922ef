//! Threads, locks and channels: the standard library's, or with `schedules` those of shuttle. What shuttle has otherwise or not at all,
//! above all waiting for a time, is a function here.

#[cfg(feature = "schedules")]
mod played {
    use std::{io, sync::PoisonError, time::Duration};

    use shuttle::rand::{Rng, thread_rng};
    pub use shuttle::{sync, thread};

    use super::played::{
        sync::{Condvar, Mutex, MutexGuard, mpsc},
        thread::{Scope, ScopedJoinHandle},
    };

    /// Starts a thread of a scope. Its stack is that of shuttle's configuration.
    ///
    /// # Errors
    /// None.
    pub fn spawn_scoped<'scope, T: Send + 'scope>(
        scope: &'scope Scope<'scope, '_>, _name: &str, _stack: Option<usize>, work: impl FnOnce() -> T + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, T>> {
        Ok(scope.spawn(work))
    }

    /// Whether a time is over: at any moment or not yet, and surely some day.
    fn over() -> bool {
        thread::yield_now();
        thread_rng().gen_ratio(1, 8)
    }

    /// Waits while a condition holds, for a time at most.
    pub fn wait_timeout_while<'a, T>(
        of: &'a Mutex<T>, _changed: &Condvar, mut guard: MutexGuard<'a, T>, _most: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while condition(&mut guard) {
            drop(guard);
            let over = over();
            guard = of.lock().unwrap_or_else(PoisonError::into_inner);
            if over {
                break;
            }
        }
        guard
    }

    /// Receives, or waits for a time.
    ///
    /// # Errors
    /// When nothing came, or nothing can come any more.
    pub fn recv_timeout<T>(from: &mpsc::Receiver<T>, _most: Duration) -> Result<T, mpsc::RecvTimeoutError> {
        loop {
            match from.try_recv() {
                Ok(value) => return Ok(value),
                Err(mpsc::TryRecvError::Disconnected) => return Err(mpsc::RecvTimeoutError::Disconnected),
                Err(mpsc::TryRecvError::Empty) if over() => return Err(mpsc::RecvTimeoutError::Timeout),
                Err(mpsc::TryRecvError::Empty) => {}
            }
        }
    }
}

#[cfg(not(feature = "schedules"))]
mod real {
    use std::{
        io,
        sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
        thread::{Builder, Scope, ScopedJoinHandle},
        time::Duration,
    };
    pub use std::{sync, thread};

    /// Starts a thread of a scope, with a stack of so many bytes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn_scoped<'scope, T: Send + 'scope>(
        scope: &'scope Scope<'scope, '_>, name: &str, stack: Option<usize>, work: impl FnOnce() -> T + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, T>> {
        let builder = Builder::new().name(name.to_owned());
        match stack {
            Some(bytes) => builder.stack_size(bytes).spawn_scoped(scope, work),
            None => builder.spawn_scoped(scope, work),
        }
    }

    /// Waits while a condition holds, for a time at most.
    pub fn wait_timeout_while<'a, T>(
        _of: &'a Mutex<T>, changed: &Condvar, guard: MutexGuard<'a, T>, most: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        changed.wait_timeout_while(guard, most, condition).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Receives, or waits for a time.
    ///
    /// # Errors
    /// When nothing came, or nothing can come any more.
    pub fn recv_timeout<T>(from: &mpsc::Receiver<T>, most: Duration) -> Result<T, mpsc::RecvTimeoutError> {
        from.recv_timeout(most)
    }
}

#[cfg(feature = "schedules")]
pub use played::*;
#[cfg(not(feature = "schedules"))]
pub use real::*;
