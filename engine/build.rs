//! The shipped runbooks and the pages of the error codes are embedded in the binary: a new file there is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=../runbooks");
    println!("cargo::rerun-if-changed=errors");
}
