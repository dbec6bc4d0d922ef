//! Opening, files, parameters.

use super::super::program::Program;

#[test]
fn the_shipped_runbooks_open() {
    for name in Program::names(&[]) {
        let program = Program::open(&name, &[]).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        assert_eq!(program.name(), name);
        assert!(!program.doc().is_empty(), "{name} has no doc");
    }
}
