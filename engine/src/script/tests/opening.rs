//! Opening, files, parameters.

use runbook_state::store::File;

use super::super::{limits::Limits, load, program::Program};

#[test]
fn the_shipped_runbooks_open() {
    for name in Program::names(&[]) {
        let program = Program::open(&name, &[]).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        assert_eq!(program.name(), name);
        assert!(!program.doc().is_empty(), "{name} has no doc");
    }
}

#[test]
fn what_one_script_used_up_on_a_thread_is_none_of_the_next() {
    let text = "let x = 0; for i in 0..600 { x += 1; }\nconst P = params(#{ a: int(1) });";
    let files = [File { name: "test.rhai".to_owned(), content: text.as_bytes().to_vec() }];
    let limits = Limits { deadline: std::time::Duration::from_secs(1), ..Limits::default() };
    for _ in 0..3 {
        let loaded = load::stored(&files, &limits).unwrap();
        assert_eq!(Program::new(loaded, limits).params().unwrap().len(), 1);
        // As long as a person takes to answer.
        std::thread::sleep(std::time::Duration::from_millis(600));
    }
}
