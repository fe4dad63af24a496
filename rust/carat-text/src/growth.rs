//! How many times longer a tokenizer may make a text, by what its tokenizer.json says.
//!
//! Its parts run one after another: forty that each double the text fill any memory, and so does one
//! that puts a megabyte in a space's place. What this file calls ordinary grows texts at most
//! MAX_FACTOR times, as the tokenizers that language models come with do, and runs without a sandbox.
//!
//! The bounds are of bytes, for texts of one byte or more. They may be too high, never too low: a part
//! that is not known here may grow texts without end.

use serde::Serialize;
use serde_json::Value;
use tokenizers::Tokenizer;

/// Gemma's tokenizer has 3 (a space becomes the 3 bytes of '▁'); Llama's have 12.
const MAX_FACTOR: f64 = 16.0;

/// Each use of a token copies its text, and the unknown token stands for any character. Real
/// vocabularies have runs of spaces, of some 256 bytes.
const MAX_TOKEN_BYTES: usize = 512;

/// What a template may add around the text; real ones add <bos> and <eos>.
const MAX_SPECIAL_TOKENS: usize = 16;

/// Which part of a tokenizer grows texts most, if together they are not ordinary.
pub struct Growth {
    pub encoding: Option<&'static str>,
    pub decoding: Option<&'static str>,
}

impl Growth {
    pub fn of(tokenizer: &Tokenizer, longest_token_bytes: usize) -> Result<Self, String> {
        let is_ordinary = longest_token_bytes <= MAX_TOKEN_BYTES;
        let vocabulary = ("vocabulary", if is_ordinary { 1.0 } else { f64::INFINITY });
        Ok(Growth {
            encoding: culprit(&[
                ("normalizer", factor_of(tokenizer.get_normalizer())?),
                ("pre_tokenizer", factor_of(tokenizer.get_pre_tokenizer())?),
                ("post_processor", factor_of(tokenizer.get_post_processor())?),
                vocabulary,
            ]),
            decoding: culprit(&[("decoder", factor_of(tokenizer.get_decoder())?), vocabulary]),
        })
    }
}

/// The part with the largest factor, if their product is above MAX_FACTOR.
fn culprit(parts: &[(&'static str, f64)]) -> Option<&'static str> {
    let product: f64 = parts.iter().map(|(_, factor)| factor).product();
    if product <= MAX_FACTOR {
        return None;
    }
    parts.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(name, _)| *name)
}

/// Parts say what they are only in their JSON: the fields are private.
fn factor_of(part: Option<&impl Serialize>) -> Result<f64, String> {
    let Some(part) = part else { return Ok(1.0) };
    serde_json::to_value(part).map(|part| factor(&part)).map_err(|error| error.to_string())
}

fn factor(part: &Value) -> f64 {
    match part["type"].as_str().unwrap_or_default() {
        "Sequence" => ["normalizers", "pretokenizers", "processors", "decoders"]
            .iter()
            .filter_map(|field| part[field].as_array())
            .flatten()
            .map(factor)
            .product(),
        // These cut the text, or leave out some of it, or add two tokens.
        "Strip" | "StripAccents" | "Nmt" => 1.0,
        "BertPreTokenizer" | "CharDelimiterSplit" | "Digits" | "FixedLength" | "Punctuation"
        | "Split" | "UnicodeScripts" | "Whitespace" | "WhitespaceSplit" => 1.0,
        "BertProcessing" | "RobertaProcessing" => 1.0,
        "ByteFallback" | "Fuse" => 1.0,
        // 'İ' and 'Ⱥ' have 2 bytes, and 3 in lower case.
        "Lowercase" => 1.5,
        // In UTF-8, by the table of expansion factors in UAX #15.
        "NFC" | "NFD" => 3.0,
        "NFKC" | "NFKD" => 11.0,
        // Spaces around Chinese characters, then NFD, then lower case.
        "BertNormalizer" => 5.0 / 3.0 * 3.0 * 1.5,
        // A space before the text, then at most two bytes a byte.
        "ByteLevel" => 4.0,
        // The replacement before the text and in each space's place, with up to four bytes.
        "Metaspace" => 8.0,
        // A space between all characters, if what they take out is the empty text.
        "BPEDecoder" | "CTC" | "WordPiece" => 3.0,
        "Prepend" => 1.0 + bytes(&part["prepend"]),
        "Replace" => factor_of_replace(part),
        "TemplateProcessing" => factor_of_template(part),
        _ => f64::INFINITY,
    }
}

fn bytes(text: &Value) -> f64 {
    text.as_str().map_or(f64::INFINITY, |text| text.len() as f64)
}

/// A regular expression may match before and after each character.
fn factor_of_replace(part: &Value) -> f64 {
    let content = bytes(&part["content"]);
    match part["pattern"]["String"].as_str() {
        Some(text) if !text.is_empty() => (content / text.len() as f64).max(1.0),
        _ => 1.0 + 2.0 * content,
    }
}

/// One for each time that the text stands in the template.
fn factor_of_template(part: &Value) -> f64 {
    let (mut num_texts, mut num_special_tokens) = (0, 0);
    for piece in part["single"].as_array().into_iter().flatten() {
        match piece["SpecialToken"]["id"].as_str() {
            Some(id) => {
                let ids = &part["special_tokens"][id]["ids"];
                num_special_tokens += ids.as_array().map_or(0, Vec::len);
            }
            None => num_texts += 1,
        }
    }
    if num_special_tokens > MAX_SPECIAL_TOKENS {
        return f64::INFINITY;
    }
    f64::from(num_texts).max(1.0)
}
