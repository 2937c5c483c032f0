//! What the system's allocator does with memory that is given back.

/// Has large memory given back to the system as soon as it is free, for a program that
/// runs for days (decision 0093).
///
/// Does something with glibc only: its allocator gives every thread an arena of its own and
/// learns from the first large picture to keep the next ones.
pub(crate) fn give_back_at_once() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::give_back_at_once();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is declared foreign, as all of C is")]
mod glibc {
    /// Bytes from which an allocation is a mapping of its own: glibc's own first value,
    /// which it would otherwise raise up to 32 MB.
    const MAPPED: i32 = 128 << 10;
    /// Arenas, for small allocations.
    const ARENAS: i32 = 2;

    pub(super) fn give_back_at_once() {
        for (parameter, value) in [(libc::M_MMAP_THRESHOLD, MAPPED), (libc::M_ARENA_MAX, ARENAS)] {
            // SAFETY: mallopt takes two integers and only sets parameters of the allocator; it
            // may be called at any time (mallopt(3)). If it refuses, all stays as it was.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}
