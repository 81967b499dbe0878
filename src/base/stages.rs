//! Time and memory of the pipeline's stages, taken where the stages are named.

use std::time::Instant;

use crate::base::files;
use crate::base::report::{Progress, Stage};

/// Runs the stages, and tells [`Progress`] of each.
pub struct Stages<'p> {
    /// Hears of them.
    pub progress: &'p dyn Progress,
}

impl<'p> Stages<'p> {
    /// Stages that `progress` hears of, if it measures.
    pub fn new(progress: &'p dyn Progress) -> Self {
        Stages { progress }
    }

    /// Runs a stage.
    pub fn run<T>(&self, name: &'static str, stage: impl FnOnce() -> T) -> T {
        if !self.progress.measures() {
            return stage();
        }
        files::forget_peak_memory();
        let begin = Instant::now();
        let result = stage();
        self.progress.stage(&Stage {
            name,
            time: begin.elapsed(),
            peak_memory: files::peak_memory(),
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diag::Problem;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Heard(bool, Mutex<Vec<Stage>>);

    impl Progress for Heard {
        fn status(&self, _: &str, _: &str) {}
        fn detail(&self, _: &str, _: &str) {}
        fn warn(&self, _: &Problem) {}
        fn measures(&self) -> bool {
            self.0
        }
        fn stage(&self, stage: &Stage) {
            self.1.lock().unwrap().push(stage.clone());
        }
    }

    #[test]
    fn who_measures_hears_of_each_stage() {
        let heard = Heard(true, Mutex::default());
        let stages = Stages::new(&heard);
        assert_eq!(stages.run("one", || 1) + stages.run("two", || 2), 3);
        let heard = heard.1.into_inner().unwrap();
        let names: Vec<_> = heard.iter().map(|s| s.name).collect();
        assert_eq!(names, ["one", "two"]);
        if cfg!(target_os = "linux") {
            assert!(heard.iter().all(|s| s.peak_memory > Some(1 << 20)));
        }
    }

    #[test]
    fn nobody_else_does() {
        let heard = Heard::default();
        Stages::new(&heard).run("one", || ());
        assert!(heard.1.into_inner().unwrap().is_empty());
    }
}
