//! Runs a compiled model with the TVM FFI alone: nothing of Carat is used.
//!
//!     greedy LIBRARY NUM_TOKENS PROMPT_TOKEN...
//!
//! prints the ids of the NUM_TOKENS tokens that follow the prompt, each the likeliest one after all
//! before it. weights.bin lies beside the library, as `carat compile` leaves them.

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use serde_json::Value;
use tvm_ffi::{AnyView, Function, Module, Tensor};

/// A model with the keys and values of one growing sequence of tokens.
struct Sequence {
    forward: Function,
    chunk_size: usize, // the most tokens that one call takes
    weights: Tensor,
    kv_pages: Tensor,
    kv_rings: Tensor,
    scratch: Tensor,
    page_table: Tensor,
    logits: Tensor,
    length: usize,
    _module: Module, // last, so that the library outlives what came from it
}

/// The crate's own tensors begin at multiples of 64 bytes, which forward asks for.
fn bytes(shape: &[usize]) -> tvm_ffi::Result<Tensor> {
    let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::from_slice(&vec![0u8; shape.iter().product::<i64>() as usize], &shape)
}

fn ints(values: &[usize], shape: &[usize]) -> tvm_ffi::Result<Tensor> {
    let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
    let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::from_slice(&values, &shape)
}

impl Sequence {
    fn load(library: &str, max_tokens: usize) -> Result<Self, Box<dyn Error>> {
        let module = Module::load_from_file(library)?;
        let text: tvm_ffi::String =
            module.get_function("metadata")?.call_packed(&[])?.try_into()?;
        let metadata: Value = serde_json::from_str(text.as_str())?;
        let size = |name: &str| metadata[name].as_u64().expect(name) as usize;

        let weights = fs::read(Path::new(library).with_file_name("weights.bin"))?;
        let num_pages = max_tokens.div_ceil(size("page_tokens"));
        Ok(Self {
            forward: module.get_function("forward")?,
            chunk_size: size("prefill_chunk_size"),
            weights: Tensor::from_slice(&weights, &[weights.len() as i64])?,
            kv_pages: bytes(&[num_pages, size("page_bytes")])?,
            kv_rings: bytes(&[1, size("ring_bytes")])?,
            scratch: bytes(&[size("scratch_shared_bytes") + size("scratch_thread_bytes")])?,
            page_table: ints(&(0..num_pages).collect::<Vec<_>>(), &[1, num_pages])?,
            logits: Tensor::from_slice(
                &vec![0f32; size("vocab_size")],
                &[1, size("vocab_size") as i64],
            )?,
            length: 0,
            _module: module,
        })
    }

    /// Runs the model over further tokens; returns the likeliest one to follow.
    fn append(&mut self, tokens: &[usize]) -> tvm_ffi::Result<usize> {
        for chunk in tokens.chunks(self.chunk_size) {
            let slot = 0; // of kv_rings
            let sequences = ints(&[slot, self.length, chunk.len()], &[1, 3])?;
            let ids = ints(chunk, &[chunk.len()])?;
            let logit_rows = ints(&[chunk.len() - 1], &[1])?;
            self.forward.call_packed(&[
                AnyView::from(&self.weights),
                AnyView::from(&self.kv_pages),
                AnyView::from(&self.kv_rings),
                AnyView::from(&self.scratch),
                AnyView::from(&sequences),
                AnyView::from(&self.page_table),
                AnyView::from(&ids),
                AnyView::from(&logit_rows),
                AnyView::from(&self.logits),
                AnyView::new(), // no threads but this one
            ])?;
            self.length += chunk.len();
        }
        let logits = self.logits.data_as_slice::<f32>()?;
        Ok((1..logits.len()).fold(0, |best, id| if logits[id] > logits[best] { id } else { best }))
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [library, num_tokens, first, rest @ ..] = arguments else {
        return Err("usage: greedy LIBRARY NUM_TOKENS PROMPT_TOKEN...".into());
    };
    let num_tokens: usize = num_tokens.parse()?;
    let mut tokens = vec![first.parse()?];
    for token in rest {
        tokens.push(token.parse()?);
    }
    let mut sequence = Sequence::load(library, tokens.len() + num_tokens)?;
    for _ in 0..num_tokens {
        tokens = vec![sequence.append(&tokens)?];
        print!("{} ", tokens[0]);
    }
    println!();
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
