//! What crosses the border. Everything handed out is owned by this side and freed by it; everything
//! handed in is only read during the call. A panic becomes an error message.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Text (not terminated) that the caller frees with `carat_bytes_free`.
#[repr(C)]
pub struct CaratBytes {
    data: *mut u8,
    size: usize,
}

/// Token ids that the caller frees with `carat_tokens_free`.
#[repr(C)]
pub struct CaratTokens {
    data: *mut u32,
    size: usize,
}

impl From<String> for CaratBytes {
    fn from(text: String) -> Self {
        let bytes = text.into_bytes().into_boxed_slice();
        let size = bytes.len();
        CaratBytes { data: Box::into_raw(bytes) as *mut u8, size }
    }
}

impl From<&[u32]> for CaratTokens {
    fn from(tokens: &[u32]) -> Self {
        let tokens: Box<[u32]> = tokens.into();
        let size = tokens.len();
        CaratTokens { data: Box::into_raw(tokens) as *mut u32, size }
    }
}

/// # Safety
/// `bytes` came from this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn carat_bytes_free(bytes: CaratBytes) {
    drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size)));
}

/// # Safety
/// `tokens` came from this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn carat_tokens_free(tokens: CaratTokens) {
    drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(tokens.data, tokens.size)));
}

/// The caller's bytes as text.
///
/// # Safety
/// `data` points to `size` readable bytes that outlive the result.
pub unsafe fn text<'a>(data: *const u8, size: usize) -> Result<&'a str, String> {
    std::str::from_utf8(slice(data, size)).map_err(|error| {
        format!("the text is not UTF-8: byte {} cannot be read", error.valid_up_to())
    })
}

/// # Safety
/// `data` points to `size` readable values that outlive the result; null only if there are none.
pub unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data, size)
}

/// Runs `work`; a panic in it becomes `Err` with the panic's message.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // The default hook prints to stderr; here the caller reports.
    static SILENCE_PANICS: Once = Once::new();
    SILENCE_PANICS.call_once(|| std::panic::set_hook(Box::new(|_| {})));

    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(message), _) => message,
            (_, Some(message)) => message.as_str(),
            _ => "no message",
        };
        Err(format!("it cannot be used (panic: {message})"))
    })
}

/// Runs `work` and hands its value to `deliver`; on failure fills `error` and returns false.
///
/// # Safety
/// `error` is writable.
pub unsafe fn report<T>(
    error: *mut CaratBytes,
    work: impl FnOnce() -> Result<T, String>,
    deliver: impl FnOnce(T),
) -> bool {
    match catch_panic(work) {
        Ok(value) => {
            deliver(value);
            true
        }
        Err(message) => {
            error.write(message.into());
            false
        }
    }
}
