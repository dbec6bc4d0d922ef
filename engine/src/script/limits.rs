//! What a script may use up. All set explicitly: Rhai's own defaults differ between debug and release builds.

use std::time::Duration;

use rhai::Engine;

/// The limits of one program.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Operations between two bindings.
    pub operations: u64,
    /// Real time between two bindings.
    pub deadline: Duration,
    /// Growth of the heap since the run began, in bytes.
    pub memory: usize,
    /// The longest text, in bytes.
    pub text: usize,
    /// The longest list.
    pub list: usize,
    /// The largest map.
    pub map: usize,
    /// Nested function calls, steps included.
    pub calls: usize,
    /// Nested expressions.
    pub expressions: usize,
    /// The largest file, in bytes.
    pub file: u64,
    /// Files of one runbook.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 200_000_000,
            deadline: Duration::from_secs(10),
            memory: 128 << 20,
            text: 16 << 20,
            list: 1_000_000,
            map: 1_000_000,
            calls: 64,
            expressions: 128,
            file: 4 << 20,
            files: 500,
        }
    }
}

impl Limits {
    /// Sets those that Rhai watches itself. The others are watched between operations ([`super::here::tick`]).
    pub fn apply(&self, engine: &mut Engine) {
        engine
            .set_max_operations(0)
            .set_max_call_levels(self.calls)
            .set_max_expr_depths(self.expressions, self.expressions)
            .set_max_string_size(self.text)
            .set_max_array_size(self.list)
            .set_max_map_size(self.map)
            .set_max_variables(2_000)
            .set_max_functions(4_000)
            .set_max_modules(self.files);
    }
}
