/* The C ABI of rust/carat-text: tokenizer.json and chat templates. Only this room includes it.
 *
 * Functions that can fail return false and fill `error`. What comes back in CaratBytes and
 * CaratTokens belongs to the Rust side and is given back with the matching free function. Text is
 * UTF-8, never zero-terminated. Everything const may be used from several threads at once. */

#ifndef CARAT_TEXT_CARAT_TEXT_H_
#define CARAT_TEXT_CARAT_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CaratBytes {
  char* data;
  size_t size;
} CaratBytes;

typedef struct CaratTokens {
  uint32_t* data;
  size_t size;
} CaratTokens;

void carat_bytes_free(CaratBytes bytes);
void carat_tokens_free(CaratTokens tokens);

/* tokenizer.json */
typedef struct CaratTokenizer CaratTokenizer;

bool carat_tokenizer_from_json(const char* json, size_t size, CaratTokenizer** tokenizer,
                               CaratBytes* error);
void carat_tokenizer_free(CaratTokenizer* tokenizer);
bool carat_tokenizer_encode(const CaratTokenizer* tokenizer, const char* text, size_t size,
                            bool add_special_tokens, CaratTokens* tokens, CaratBytes* error);
bool carat_tokenizer_decode(const CaratTokenizer* tokenizer, const uint32_t* tokens, size_t count,
                            bool skip_special_tokens, CaratBytes* text, CaratBytes* error);
int64_t carat_tokenizer_token_to_id(const CaratTokenizer* tokenizer, const char* token,
                                    size_t size); /* -1: no such token */
CaratBytes carat_tokenizer_id_to_token(const CaratTokenizer* tokenizer, uint32_t id); /* or empty */
uint32_t carat_tokenizer_vocab_size(const CaratTokenizer* tokenizer);      /* largest id + 1 */
uint32_t carat_tokenizer_base_vocab_size(const CaratTokenizer* tokenizer); /* no added tokens */
bool carat_tokenizer_is_special(const CaratTokenizer* tokenizer, uint32_t id);
bool carat_tokenizer_is_byte_token(const CaratTokenizer* tokenizer, uint32_t id); /* as <0x0A> */

/* Chat templates. `name` is the file that holds the template; errors begin with it. */
typedef struct CaratChatTemplate CaratChatTemplate;

bool carat_chat_template_compile(const char* name, size_t name_size, const char* source,
                                 size_t source_size, CaratChatTemplate** chat_template,
                                 CaratBytes* error);
void carat_chat_template_free(CaratChatTemplate* chat_template);
/* `variables` is a JSON object: messages, add_generation_prompt, bos_token, ... */
bool carat_chat_template_render(const CaratChatTemplate* chat_template, const char* variables,
                                size_t size, CaratBytes* text, CaratBytes* error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CARAT_TEXT_CARAT_TEXT_H_ */
