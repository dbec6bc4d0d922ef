//! The program: hands the arguments to the command line, and its answer to the system.

fn main() -> std::process::ExitCode {
    runbook_engine::cli::main()
}
