"""A byte-fallback BPE tokenizer in the layout of Gemma's tokenizer.json; digits never merge."""

from collections import Counter

SPACE = "\u2581"  # stands for a space inside tokens
SPECIAL_TOKENS = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
SPECIAL_TOKENS += [f"<unused{i}>" for i in range(100)]
SPECIAL_TOKENS += ["<start_of_turn>", "<end_of_turn>"]

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] == 'system' %}"
    "{% set first_user_prefix = messages[0]['content'] + '\n\n' %}"
    "{% set loop_messages = messages[1:] %}"
    "{% else %}"
    "{% set first_user_prefix = '' %}"
    "{% set loop_messages = messages %}"
    "{% endif %}"
    "{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}"
    "{{ message['content'] | trim }}"
    "{{ '<end_of_turn>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def split_words(text):
    """Pieces that merges never cross: a word with the space before it, a digit, a line end."""
    word = ""
    for char in text.replace(" ", SPACE):
        if char == "\n" or char.isdigit():
            if word:
                yield word
            yield char
            word = ""
        elif char == SPACE and word:
            yield word
            word = char
        else:
            word += char
    if word:
        yield word


def merge_pair(pieces, pair):
    merged, i = [], 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair:
            merged.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            merged.append(pieces[i])
            i += 1
    return merged


def train_bpe(texts, vocab_size):
    """The vocabulary, in the order of ids, and the merges, in the order of their ranks."""
    words = Counter(
        word for text in texts for word in split_words(text) if word != "\n" and not word.isdigit()
    )
    chars = {char for text in texts for char in text.replace(" ", SPACE)}
    chars |= set("0123456789") | {chr(code) for code in range(33, 127)}
    vocab = SPECIAL_TOKENS + [f"<0x{byte:02X}>" for byte in range(256)] + ["\n"]
    vocab += [char for char in sorted(chars) if char != "\n"]

    pieces = {word: list(word) for word in words}
    merges = []
    while len(vocab) < vocab_size:
        pairs = Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        pair, count = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if count < 2:
            break
        merges.append(list(pair))
        token = "".join(pair)
        if token not in vocab:
            vocab.append(token)
        pieces = {word: merge_pair(parts, pair) for word, parts in pieces.items()}
    while len(vocab) < vocab_size:
        vocab.append(f"<unused{100 + vocab_size - len(vocab)}>")
    return vocab, merges


class Tokenizer:
    def __init__(self, vocab, merges):
        self.vocab = vocab
        self.merges = merges
        self.ids = {token: id for id, token in enumerate(vocab)}
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
        self.cache = {}

    @classmethod
    def from_json(cls, tokenizer_json):
        bpe = tokenizer_json["model"]
        return cls(sorted(bpe["vocab"], key=bpe["vocab"].get), bpe["merges"])

    def encode(self, text):
        return [id for word in split_words(text) for id in self.encode_word(word)]

    def encode_word(self, word):
        if word not in self.cache:
            self.cache[word] = [self.ids[piece] for piece in self.split_into_pieces(word)]
        return self.cache[word]

    def split_into_pieces(self, word):
        pieces = []
        for char in word:
            pieces += [char] if char in self.ids else [f"<0x{b:02X}>" for b in char.encode()]
        while True:
            pairs = enumerate(zip(pieces, pieces[1:]))
            ranked = [(self.ranks[pair], i) for i, pair in pairs if pair in self.ranks]
            if not ranked:
                return pieces
            _, i = min(ranked)
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]

    def to_json(self):
        """tokenizer.json, as Hugging Face's tokenizers reads it."""
        bos = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [added_token(i, token) for i, token in enumerate(SPECIAL_TOKENS)],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"String": " "},
                "behavior": "MergedWithPrevious",
                "invert": False,
            },
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [
                    bos,
                    {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "<bos>", "type_id": 1}},
                    {"Sequence": {"id": "B", "type_id": 1}},
                ],
                "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
            },
            "decoder": {
                "type": "Sequence",
                "decoders": [
                    {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                    {"type": "ByteFallback"},
                    {"type": "Fuse"},
                ],
            },
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": "<unk>",
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": True,
                "byte_fallback": True,
                "ignore_merges": False,
                "vocab": self.ids,
                "merges": self.merges,
            },
        }


def added_token(id, content):
    return {
        "id": id,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": not content.startswith("<unused"),
    }


TOKENIZER_CONFIG = {
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "clean_up_tokenization_spaces": False,
    "model_max_length": 2048,
    "tokenizer_class": "GemmaTokenizer",
    "chat_template": CHAT_TEMPLATE,
}
