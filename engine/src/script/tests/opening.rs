//! Opening, files, parameters.

use runbook_state::store::File;

use super::super::program::{Limits, Program};

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
        assert_eq!(Program::within(&files, limits).unwrap().params().unwrap().len(), 1);
        // As long as a person takes to answer.
        std::thread::sleep(std::time::Duration::from_millis(600));
    }
}

#[test]
fn a_range_without_an_end_is_refused() {
    for range in ["0, 1.0 / 0.0", "-1.0 / 0.0, 0", "1, 0"] {
        let text = format!("params(#{{ a: float(1).range({range}) }});");
        let files = [File { name: "test.rhai".to_owned(), content: text.into_bytes() }];
        let told = Program::from_files(&files).unwrap().params().unwrap_err();
        assert_eq!(told.code, "RB0203", "{range}: {told:?}");
    }
}

#[test]
fn a_line_that_ends_in_a_carriage_return_alone_is_refused_there() {
    for (text, at) in
        [("// one\r.", Some((1, 7))), ("let x = 1;\r\n  \r\r\nx", Some((2, 3))), ("let x = 1;\r\nx\r\n", None)]
    {
        let files = [File { name: "test.rhai".to_owned(), content: text.as_bytes().to_vec() }];
        let told = Program::from_files(&files).err().map(|failure| (failure.sites[0].line, failure.sites[0].column));
        assert_eq!(told, at, "{text:?}");
    }
}

#[test]
fn files_are_stored_in_the_order_in_which_the_script_names_them() {
    let names: Vec<String> = (0..24).map(|nth| format!("{nth}.yaml")).collect();
    let functions = names.iter().enumerate().map(|(nth, name)| format!("fn f{nth}() {{ file(\"{name}\") }}\n"));
    let script = File { name: "test.rhai".to_owned(), content: functions.collect::<String>().into_bytes() };
    let texts = names.iter().rev().map(|name| File { name: name.clone(), content: b"a: 1".to_vec() });
    let program = Program::from_files(&[script].into_iter().chain(texts).collect::<Vec<_>>()).unwrap();
    let stored: Vec<&str> = program.files().iter().skip(1).map(|file| &*file.name).collect();
    assert_eq!(stored, names);
}
