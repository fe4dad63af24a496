//! tokenizer.json: text <-> token ids.

use crate::border::{report, slice, text, CaratBytes, CaratTokens};
use tokenizers::models::bpe::BPE;
use tokenizers::{
    DecoderWrapper, Model, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, Tokenizer,
    TokenizerImpl,
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

pub struct CaratTokenizer {
    tokenizer: Tokenizer,
    /// One more than the largest id of the model's vocabulary, and of the added tokens too.
    base_vocab_size: u32,
    vocab_size: u32,
    /// The decoder turns tokens spelled <0xNN> into bytes.
    decodes_bytes: bool,
}

impl CaratTokenizer {
    fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut tokenizer = parse(json)?;
        // Some files keep the limits of their training run; prompts here are never cut or padded.
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?.with_padding(None);

        let base_vocab_size = base_vocab_size(&tokenizer)?;
        let added = tokenizer.get_added_tokens_decoder();
        let vocab_size =
            added.keys().map(|&id| id.saturating_add(1)).fold(base_vocab_size, u32::max);
        let decodes_bytes = match tokenizer.get_decoder() {
            Some(decoder) => serde_json::to_string(decoder)
                .map_err(|error| error.to_string())?
                .contains(r#""type":"ByteFallback""#),
            None => false,
        };
        Ok(CaratTokenizer { tokenizer, base_vocab_size, vocab_size, decodes_bytes })
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

/// Parses the file. `Tokenizer` itself buffers a whole model to find out its kind, which takes seconds
/// for 262,144 tokens; so it gets only what is not BPE.
fn parse(json: &[u8]) -> Result<Tokenizer, String> {
    if let Ok(bpe) = serde_json::from_slice::<BpeTokenizer>(json) {
        return Ok(bpe.into());
    }
    Tokenizer::from_bytes(json).map_err(|error| error.to_string())
}

/// One more than the largest id of the model's vocabulary.
fn base_vocab_size(tokenizer: &Tokenizer) -> Result<u32, String> {
    let model = tokenizer.get_model();
    let size = model.get_vocab_size() as u32;
    let has_no_gaps = (0..size).all(|id| model.id_to_token(id).is_some());
    if has_no_gaps {
        return Ok(size);
    }
    let largest = model.get_vocab().into_values().max().unwrap_or(0);
    if largest > MAX_TOKEN_ID {
        return Err(format!("its vocabulary has the id {largest}, and ids end at {MAX_TOKEN_ID}"));
    }
    Ok(largest + 1)
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
    let encode = || {
        tokenizer
            .tokenizer
            .encode_fast(text(input, size)?, add_special_tokens)
            .map_err(|error| error.to_string())
    };
    report(error, encode, |encoding| tokens.write(encoding.get_ids().into()))
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
    let decode = || {
        tokenizer
            .tokenizer
            .decode(slice(tokens, count), skip_special_tokens)
            .map_err(|error| error.to_string())
    };
    report(error, decode, |text| decoded.write(text.into()))
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
