//! What Carat takes from the Rust world, behind a small C ABI: tokenizer.json (Hugging Face's
//! `tokenizers`) and chat templates (`minijinja`). The C side of the border is carat/text/carat_text.h;
//! the two are changed together.
//!
//! - border.rs         what crosses: bytes, tokens, error messages; no panic ever does
//! - tokenizer.rs      text <-> token ids
//! - growth.rs         how many times longer a tokenizer may make a text
//! - chat_template.rs  a conversation -> the prompt's text, as transformers renders it
//! - python_json.rs    JSON spelled as Python's json.dumps spells it, for the templates' `tojson`
//! - sandbox.rs        runs what a stranger wrote with limits on time, memory and stack

mod border;
mod chat_template;
mod growth;
mod python_json;
mod sandbox;
mod tokenizer;
