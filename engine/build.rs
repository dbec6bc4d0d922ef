//! The shipped runbooks are embedded in the binary: a new file there is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=../runbooks");
}
