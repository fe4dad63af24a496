//! tokenizer.json: text <-> token ids. The file comes with somebody's model, so reading it has limits,
//! and so has using it where it can grow texts without end.

use crate::border::{report, slice, text, CaratBytes, CaratTokens};
use crate::growth::Growth;
use crate::sandbox::{Limits, Sandbox};
use std::sync::Arc;
use std::time::Duration;
use tokenizers::models::bpe::BPE;
use tokenizers::{
    DecoderWrapper, Encoding, Model, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    Tokenizer, TokenizerImpl,
};

/// A tokenizer that holds a BPE model, the kind that all large vocabularies are.
type BpeTokenizer = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Ids are int32 everywhere else.
const MAX_TOKEN_ID: u32 = i32::MAX as u32 - 1;

/// JSON ends at a depth of 128, and so do the parts that are run.
const STACK_BYTES: usize = 16 << 20;

/// Of encoding or decoding one text, where the tokenizer can grow it without end.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(10), memory_bytes: 512 << 20, stack_bytes: STACK_BYTES };

/// Of reading the file. Gemma's, with 33 MB, takes a second and 5 times its size; Unigram models of
/// 250,000 tokens take 26 times theirs.
fn limits_of_reading(json: &[u8]) -> Limits {
    let memory_bytes = (128 << 20) + 32 * json.len();
    Limits { time: Duration::from_secs(60), memory_bytes, stack_bytes: STACK_BYTES }
}

pub struct CaratTokenizer {
    tokenizer: Arc<Tokenizer>,
    /// What it names runs in the sandbox.
    growth: Growth,
    sandbox: Sandbox,
    /// One more than the largest id of the model's vocabulary, and of the added tokens too.
    base_vocab_size: u32,
    vocab_size: u32,
    /// The decoder turns tokens spelled <0xNN> into bytes.
    decodes_bytes: bool,
}

impl CaratTokenizer {
    fn from_json(json: &[u8]) -> Result<Self, String> {
        let limits = limits_of_reading(json);
        // A parked thread outlives the caller's bytes.
        let json = json.to_vec();
        let what = "reading it and normalizing its added tokens";
        Sandbox::default().run(what, limits, move || Self::read(&json))
    }

    fn read(json: &[u8]) -> Result<Self, String> {
        let mut tokenizer = parse(json)?;
        // Some files keep the limits of their training run; prompts here are never cut or padded.
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?.with_padding(None);

        let (base_vocab_size, mut longest_token_bytes) = measure_vocabulary(&tokenizer)?;
        let mut vocab_size = base_vocab_size;
        for (id, token) in tokenizer.get_added_tokens_decoder() {
            vocab_size = vocab_size.max(id.saturating_add(1));
            longest_token_bytes = longest_token_bytes.max(token.content.len());
        }
        let decodes_bytes = match tokenizer.get_decoder() {
            Some(decoder) => serde_json::to_string(decoder)
                .map_err(|error| error.to_string())?
                .contains(r#""type":"ByteFallback""#),
            None => false,
        };
        let growth = Growth::of(&tokenizer, longest_token_bytes)?;
        Ok(CaratTokenizer {
            tokenizer: Arc::new(tokenizer),
            growth,
            sandbox: Sandbox::default(),
            base_vocab_size,
            vocab_size,
            decodes_bytes,
        })
    }

    fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Encoding, String> {
        let Some(part) = self.growth.encoding else {
            return encode(&self.tokenizer, text, add_special_tokens);
        };
        let (tokenizer, text) = (Arc::clone(&self.tokenizer), text.to_owned());
        self.sandbox
            .run(&what_grows(part), LIMITS, move || encode(&tokenizer, &text, add_special_tokens))
    }

    fn decode(&self, tokens: &[u32], skip_special_tokens: bool) -> Result<String, String> {
        let Some(part) = self.growth.decoding else {
            return decode(&self.tokenizer, tokens, skip_special_tokens);
        };
        let (tokenizer, tokens) = (Arc::clone(&self.tokenizer), tokens.to_vec());
        self.sandbox.run(&what_grows(part), LIMITS, move || {
            decode(&tokenizer, &tokens, skip_special_tokens)
        })
    }

    fn is_byte_token(&self, id: u32) -> bool {
        self.decodes_bytes
            && self.tokenizer.id_to_token(id).is_some_and(|token| {
                token.len() == 6
                    && token.starts_with("<0x")
                    && token.ends_with('>')
                    && token.is_char_boundary(5)
                    && u8::from_str_radix(&token[3..5], 16).is_ok()
            })
    }
}

fn what_grows(part: &str) -> String {
    format!("its {part} grows the text and")
}

fn encode(tokenizer: &Tokenizer, text: &str, special_tokens: bool) -> Result<Encoding, String> {
    tokenizer.encode_fast(text, special_tokens).map_err(|error| error.to_string())
}

fn decode(tokenizer: &Tokenizer, tokens: &[u32], skip_special: bool) -> Result<String, String> {
    tokenizer.decode(tokens, skip_special).map_err(|error| error.to_string())
}

/// Parses the file. `Tokenizer` itself buffers a whole model to find out its kind, which takes seconds
/// for 262,144 tokens; so it gets only what is not BPE.
fn parse(json: &[u8]) -> Result<Tokenizer, String> {
    if let Ok(bpe) = serde_json::from_slice::<BpeTokenizer>(json) {
        return Ok(bpe.into());
    }
    Tokenizer::from_bytes(json).map_err(|error| error.to_string())
}

/// One more than the largest id of the model's vocabulary, and its longest token's bytes.
fn measure_vocabulary(tokenizer: &Tokenizer) -> Result<(u32, usize), String> {
    let model = tokenizer.get_model();
    let size = model.get_vocab_size() as u32;
    let longest_if_no_gaps = (0..size).try_fold(0, |longest: usize, id| {
        model.id_to_token(id).map(|token| longest.max(token.len()))
    });
    if let Some(longest) = longest_if_no_gaps {
        return Ok((size, longest));
    }
    let vocabulary = model.get_vocab();
    let largest = vocabulary.values().copied().max().unwrap_or(0);
    if largest > MAX_TOKEN_ID {
        return Err(format!("its vocabulary has the id {largest}, and ids end at {MAX_TOKEN_ID}"));
    }
    Ok((largest + 1, vocabulary.keys().map(String::len).max().unwrap_or(0)))
}

/// # Safety
/// The pointers are as carat_text.h describes them, here and below.
#[no_mangle]
pub unsafe extern "C" fn carat_tokenizer_from_json(
    json: *const u8,
    size: usize,
    tokenizer: *mut *mut CaratTokenizer,
    error: *mut CaratBytes,
) -> bool {
    report(
        error,
        || CaratTokenizer::from_json(slice(json, size)),
        |loaded| tokenizer.write(Box::into_raw(Box::new(loaded))),
    )
}

#[no_mangle]
pub unsafe extern "C" fn carat_tokenizer_free(tokenizer: *mut CaratTokenizer) {
    drop(Box::from_raw(tokenizer));
}

#[no_mangle]
pub unsafe extern "C" fn carat_tokenizer_encode(
    tokenizer: &CaratTokenizer,
    input: *const u8,
    size: usize,
    add_special_tokens: bool,
    tokens: *mut CaratTokens,
    error: *mut CaratBytes,
) -> bool {
    report(
        error,
        || tokenizer.encode(text(input, size)?, add_special_tokens),
        |encoding| tokens.write(encoding.get_ids().into()),
    )
}

#[no_mangle]
pub unsafe extern "C" fn carat_tokenizer_decode(
    tokenizer: &CaratTokenizer,
    tokens: *const u32,
    count: usize,
    skip_special_tokens: bool,
    decoded: *mut CaratBytes,
    error: *mut CaratBytes,
) -> bool {
    report(
        error,
        || tokenizer.decode(slice(tokens, count), skip_special_tokens),
        |text| decoded.write(text.into()),
    )
}

/// The token's id, or -1.
#[no_mangle]
pub unsafe extern "C" fn carat_tokenizer_token_to_id(
    tokenizer: &CaratTokenizer,
    token: *const u8,
    size: usize,
) -> i64 {
    match text(token, size) {
        Ok(token) => tokenizer.tokenizer.token_to_id(token).map_or(-1, i64::from),
        Err(_) => -1,
    }
}

/// Empty if no token has this id.
#[no_mangle]
pub extern "C" fn carat_tokenizer_id_to_token(tokenizer: &CaratTokenizer, id: u32) -> CaratBytes {
    tokenizer.tokenizer.id_to_token(id).unwrap_or_default().into()
}

#[no_mangle]
pub extern "C" fn carat_tokenizer_vocab_size(tokenizer: &CaratTokenizer) -> u32 {
    tokenizer.vocab_size
}

#[no_mangle]
pub extern "C" fn carat_tokenizer_base_vocab_size(tokenizer: &CaratTokenizer) -> u32 {
    tokenizer.base_vocab_size
}

#[no_mangle]
pub extern "C" fn carat_tokenizer_is_special(tokenizer: &CaratTokenizer, id: u32) -> bool {
    let added = tokenizer.tokenizer.get_added_vocabulary().get_added_tokens_decoder();
    added.get(&id).is_some_and(|token| token.special)
}

#[no_mangle]
pub extern "C" fn carat_tokenizer_is_byte_token(tokenizer: &CaratTokenizer, id: u32) -> bool {
    tokenizer.is_byte_token(id)
}
