//! Says why a test did nothing.

/// Names what is missing on this machine; the test ends after it.
#[allow(clippy::print_stderr, reason = "the runner shows why a test did nothing")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
