//! Runs what a stranger wrote (a chat template, a tokenizer) with limits that hold inside a single
//! operation too.
//!
//! A template engine counts instructions, but one instruction can double a string, and thirty of them
//! fill any memory; deeply nested values are dropped recursively, which overflows a stack. So the work
//! runs on a thread of its own with a large stack, and the allocator below keeps its account. Memory
//! that is refused must not unwind (an allocator never may), so a thread that has spent its allowance,
//! or whose caller has stopped waiting, is parked for good: it costs the allowance and no time. A
//! sandbox parks one thread at most: it runs one piece of work at a time, and none after that one.

use crate::border::catch_panic;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub struct Limits {
    pub time: Duration,
    pub memory_bytes: usize,
    pub stack_bytes: usize,
}

enum State<T> {
    Running,
    Finished(Result<T, String>),
    OutOfMemory,
    Abandoned,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One for each template or tokenizer.
#[derive(Default)]
pub struct Sandbox {
    /// How a limit was broken, once one is.
    broken: Mutex<Option<String>>,
}

impl Sandbox {
    /// Runs `work` on a thread of its own. `what` begins the error messages about limits; the first
    /// such error is the answer to every later call.
    pub fn run<T: Send + 'static>(
        &self,
        what: &str,
        limits: Limits,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        // Held to the end: what waits here may find that the work before it has broken a limit.
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &*broken {
            return Err(error.clone());
        }
        let shared =
            Arc::new(Shared { state: Mutex::new(State::Running), changed: Condvar::new() });
        let seen_by_worker = Arc::clone(&shared);
        let worker = std::thread::Builder::new()
            .name("carat-sandbox".into())
            .stack_size(limits.stack_bytes)
            .spawn(move || {
                let result = with_account(&*seen_by_worker, limits, || catch_panic(work));
                *seen_by_worker.lock() = State::Finished(result);
                seen_by_worker.changed.notify_one();
            })
            .map_err(|error| {
                format!("{what} needs a thread, and none could be started: {error}")
            })?;

        let limit = match wait(&shared, limits.time) {
            State::Finished(result) => {
                worker.join().map_err(|_| format!("{what} could not be ended"))?;
                return result;
            }
            State::OutOfMemory => {
                format!("uses more than {} MiB of memory", limits.memory_bytes >> 20)
            }
            State::Running | State::Abandoned => {
                format!("takes longer than {} seconds", limits.time.as_secs())
            }
        };
        let error = format!("{what} {limit}");
        *broken = Some(error.clone());
        Err(error)
    }
}

/// Takes the state that the worker has come to within `time`, and abandons it.
fn wait<T>(shared: &Shared<T>, time: Duration) -> State<T> {
    let (mut state, _) = shared
        .changed
        .wait_timeout_while(shared.lock(), time, |state| matches!(state, State::Running))
        .unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *state, State::Abandoned)
}

/// What the allocator knows of a sandboxed thread.
struct Account<'a> {
    left_bytes: Cell<isize>,
    deadline: Instant,
    allocations_until_clock: Cell<u32>,
    out_of_memory: &'a dyn Fn(),
}

/// Reading the clock at every allocation would cost more than the allocation.
const ALLOCATIONS_A_CLOCK_READING: u32 = 1024;

thread_local! {
    static ACCOUNT: Cell<*const Account<'static>> = const { Cell::new(null()) };
}

/// Runs `work` with this thread's allocations on an account.
fn with_account<T, R>(shared: &Shared<T>, limits: Limits, work: impl FnOnce() -> R) -> R {
    let out_of_memory = || {
        *shared.lock() = State::OutOfMemory;
        shared.changed.notify_one();
    };
    let account = Account {
        left_bytes: Cell::new(limits.memory_bytes as isize),
        deadline: Instant::now() + limits.time,
        allocations_until_clock: Cell::new(ALLOCATIONS_A_CLOCK_READING),
        out_of_memory: &out_of_memory,
    };
    ACCOUNT.set((&raw const account).cast());
    let result = work();
    ACCOUNT.set(null());
    result
}

struct Accountant;

#[global_allocator]
static ALLOCATOR: Accountant = Accountant;

impl Accountant {
    fn charge(bytes: usize) {
        // Not there any more while a thread ends, and null on threads that are not in a sandbox.
        let Ok(pointer) = ACCOUNT.try_with(Cell::get) else { return };
        // SAFETY: with_account clears the pointer before the account goes.
        let Some(account) = (unsafe { pointer.as_ref() }) else { return };
        account.left_bytes.set(account.left_bytes.get().saturating_sub_unsigned(bytes));
        let out_of_memory = account.left_bytes.get() < 0;
        if !out_of_memory && !Self::is_late(account) {
            return;
        }
        ACCOUNT.set(null());
        if out_of_memory {
            (account.out_of_memory)();
        }
        loop {
            std::thread::park();
        }
    }

    fn is_late(account: &Account) -> bool {
        let left = account.allocations_until_clock.get();
        account
            .allocations_until_clock
            .set(left.checked_sub(1).unwrap_or(ALLOCATIONS_A_CLOCK_READING));
        left == 0 && Instant::now() > account.deadline
    }

    fn credit(bytes: usize) {
        let Ok(pointer) = ACCOUNT.try_with(Cell::get) else { return };
        // SAFETY: as in charge.
        if let Some(account) = unsafe { pointer.as_ref() } {
            account.left_bytes.set(account.left_bytes.get().saturating_add_unsigned(bytes));
        }
    }
}

// SAFETY: the system's allocator with an account beside it; charging never allocates.
unsafe impl GlobalAlloc for Accountant {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::charge(layout.size());
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::charge(layout.size());
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::credit(layout.size());
        System.dealloc(pointer, layout)
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both blocks exist while the bytes move.
        Self::charge(new_size);
        let moved = System.realloc(pointer, layout, new_size);
        Self::credit(layout.size());
        moved
    }
}
