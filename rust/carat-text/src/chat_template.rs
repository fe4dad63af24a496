//! Chat templates: Jinja as transformers sets it up (trim_blocks, lstrip_blocks, Python's string
//! methods, raise_exception, strftime_now, tojson), rendered within limits, since a template comes with
//! somebody's model.

use crate::border::{report, text, CaratBytes};
use crate::python_json;
use crate::sandbox::{Limits, Sandbox};
use minijinja::value::Kwargs;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Instructions of one rendering. A conversation of 1,000 messages takes some 50,000 in Gemma's
/// template, and tools some hundreds a tool.
const FUEL: u64 = 1_000_000;
const MAX_OUTPUT_BYTES: usize = 32 << 20;

/// The stack is address space until it is used. A value can be nested about once in six instructions, and
/// its walkers take up to 2 KiB a level.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(10), memory_bytes: 512 << 20, stack_bytes: 512 << 20 };

/// The engine's environment with the one template in it.
pub struct CaratChatTemplate {
    environment: Arc<Environment<'static>>,
    name: String,
    sandbox: Sandbox,
}

impl CaratChatTemplate {
    fn compile(name: &str, source: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(python_method);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", tojson);

        let (template_name, source) = (name.to_owned(), without_generation_tags(source));
        let sandbox = Sandbox::default();
        let environment =
            sandbox.run(&format!("{name}: the chat template"), LIMITS, move || {
                environment
                    .add_template_owned(template_name, source)
                    .map_err(|error| describe(&error))?;
                Ok(environment)
            })?;
        Ok(CaratChatTemplate { environment: Arc::new(environment), name: name.to_owned(), sandbox })
    }

    fn render(&self, variables_json: &str) -> Result<String, String> {
        let variables: serde_json::Value =
            serde_json::from_str(variables_json).map_err(|error| error.to_string())?;
        let environment = Arc::clone(&self.environment);
        let name = self.name.clone();
        self.sandbox.run(&format!("{name}: the chat template"), LIMITS, move || {
            let template = environment.get_template(&name).map_err(|error| describe(&error))?;
            let mut output = LimitedOutput::default();
            let rendered = template.render_captured_to(variables, &mut output).map(drop);
            if output.is_full {
                return Err(format!(
                    "{name}: the chat template writes more than {} MiB",
                    MAX_OUTPUT_BYTES >> 20
                ));
            }
            rendered.map_err(|error| describe(&error))?;
            String::from_utf8(output.bytes).map_err(|error| error.to_string())
        })
    }
}

/// "tokenizer_config.json: the chat template, line 3: unknown filter: filter foo is unknown"
fn describe(error: &Error) -> String {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("{name}: the chat template, line {line}"),
        (Some(name), None) => format!("{name}: the chat template"),
        (None, _) => "the chat template".to_owned(),
    };
    let is_raised = error.detail().is_some_and(|detail| detail.starts_with(RAISED));
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("{place}: it takes more than {FUEL} steps"),
        (_, Some(detail)) if is_raised => {
            format!("{place} refuses the conversation: {}", &detail[RAISED.len()..])
        }
        (kind, Some(detail)) => format!("{place}: {kind}: {detail}"),
        (kind, None) => format!("{place}: {kind}"),
    }
}

/// Marks what a template says itself through raise_exception.
const RAISED: &str = "raise_exception: ";

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, format!("{RAISED}{message}")))
}

/// Methods of Python's strings, lists and dicts.
fn python_method(
    state: &State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    // pycompat never ends counting an empty text; Python finds it between all characters.
    if let ("count", Some(text), Some("")) =
        (method, value.as_str(), args.first().and_then(Value::as_str))
    {
        return Ok(Value::from(text.chars().count() + 1));
    }
    pycompat::unknown_method_callback(state, value, method, args)
}

/// transformers' datetime.now().strftime(format).
fn strftime_now(format: &str) -> Result<String, Error> {
    let invalid =
        |why: &str| Error::new(ErrorKind::InvalidOperation, format!("strftime_now: {why}"));
    let format =
        std::ffi::CString::new(format).map_err(|_| invalid("the format has a zero byte"))?;
    let mut buffer = [0u8; 256];
    // SAFETY: strftime writes at most the buffer's size; `time` is filled by localtime_r.
    let written = unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut time: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&now, &mut time).is_null() {
            return Err(invalid("the system's clock is not set"));
        }
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &time)
    };
    String::from_utf8(buffer[..written].to_vec()).map_err(|_| invalid("the locale is not UTF-8"))
}

fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    python_json::dumps(value, indent)
        .map(Value::from)
        .map_err(|why| Error::new(ErrorKind::InvalidOperation, format!("tojson: {why}")))
}

/// `{% generation %}` ... `{% endgeneration %}` mark the model's part for training in transformers and
/// mean nothing when rendering; the engine does not know them. `if true` takes their place, so that
/// lines and whitespace control stay as they were.
fn without_generation_tags(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        let Some(end) = tag.find("%}") else { break };
        result.push_str(before);
        let inside = &tag[2..end];
        let replacement = match inside.trim_matches(['-', '+']).trim() {
            "generation" => inside.replace("generation", "if true"),
            "endgeneration" => inside.replace("endgeneration", "endif"),
            _ => inside.to_owned(),
        };
        result.push_str("{%");
        result.push_str(&replacement);
        result.push_str("%}");
        rest = &tag[end + 2..];
    }
    result.push_str(rest);
    result
}

#[derive(Default)]
struct LimitedOutput {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for LimitedOutput {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > MAX_OUTPUT_BYTES {
            self.is_full = true;
            return Err(io::Error::other("the output is full"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `name` is the file that the template stands in; errors begin with it.
///
/// # Safety
/// The pointers are as carat_text.h describes them, here and below.
#[no_mangle]
pub unsafe extern "C" fn carat_chat_template_compile(
    name: *const u8,
    name_size: usize,
    source: *const u8,
    source_size: usize,
    template: *mut *mut CaratChatTemplate,
    error: *mut CaratBytes,
) -> bool {
    report(
        error,
        || CaratChatTemplate::compile(text(name, name_size)?, text(source, source_size)?),
        |compiled| template.write(Box::into_raw(Box::new(compiled))),
    )
}

#[no_mangle]
pub unsafe extern "C" fn carat_chat_template_free(template: *mut CaratChatTemplate) {
    drop(Box::from_raw(template));
}

/// `variables` is a JSON object: messages, add_generation_prompt, bos_token, ...
#[no_mangle]
pub unsafe extern "C" fn carat_chat_template_render(
    template: &CaratChatTemplate,
    variables: *const u8,
    size: usize,
    rendered: *mut CaratBytes,
    error: *mut CaratBytes,
) -> bool {
    report(
        error,
        || template.render(text(variables, size)?),
        |output| rendered.write(output.into()),
    )
}
