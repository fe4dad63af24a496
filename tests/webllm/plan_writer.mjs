// Writes plans (carat/webllm/plan.h) for the runtime's tests, from the description of the format
// alone: it shares nothing with the compiler's writer.

export const MAGIC = 0x4c504343;
export const VERSION = 1;

const VARIABLES = ["zero", "tokens", "position", "total", "context"];
const ELEMENTS = ["int32", "uint32", "float16", "float32"];
const PLACES = ["scratch", "cache", "merged", "parameter", "argument", "result"];
const RETURNS = ["nothing", "tensor", "array", "arrayWithState"];
const HEADER_WORDS = 24;

const indexIn = (names, name) => {
  const index = names.indexOf(name);
  if (index < 0) throw new Error(`${name} is none of ${names.join(", ")}`);
  return index;
};

/** A number, or {variable, multiplier, addend, divisor, minimum, maximum}, as words. */
function expressionWords(expression) {
  const fields = typeof expression === "number" ? { addend: expression } : expression;
  const {
    variable = "zero",
    multiplier = 1,
    addend = 0,
    divisor = 1,
    minimum = 0,
    maximum = 0xffffffff,
  } = fields;
  return [indexIn(VARIABLES, variable), multiplier, addend, divisor, minimum, maximum];
}

/** The tables and texts of a plan, behind room for its header. */
class Body {
  #bytes = Array(4 * HEADER_WORDS).fill(0);

  text(text) {
    const span = [this.#bytes.length, text.length];
    this.#bytes.push(...new TextEncoder().encode(text));
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
    return span;
  }

  /** Elements of words, one after the other: the span of the table. */
  table(elements) {
    const span = [this.#bytes.length, elements.length];
    this.#bytes.push(...new Uint8Array(new Uint32Array(elements.flat()).buffer));
    return span;
  }

  expressions(expressions) {
    return this.table(expressions.map(expressionWords));
  }

  tensorTypes(types) {
    return this.table(
      types.map(({ element, shape }) => [indexIn(ELEMENTS, element), ...this.expressions(shape)]),
    );
  }

  finish(header) {
    const bytes = new Uint8Array(this.#bytes);
    const words = header(bytes.length);
    if (words.length !== HEADER_WORDS) throw new Error(`a header of ${words.length} words`);
    bytes.set(new Uint8Array(new Uint32Array(words).buffer));
    return bytes;
  }
}

function launchWords(body, model, { kernel, buffers, scalars = [], grid = [1, 1] }) {
  const names = model.kernels.map(({ name }) => name);
  return [
    indexIn(names, kernel),
    ...body.table(buffers.map(([place, index]) => [indexIn(PLACES, place), index])),
    ...body.expressions(scalars),
    ...grid.flatMap(expressionWords),
  ];
}

function functionWords(body, model, description) {
  const {
    name,
    inputs,
    results = [],
    returns,
    tokensArgument = 0,
    tokensDivisor = 1,
  } = description;
  const { maxTokens, usesState = false, launches } = description;
  return [
    ...body.text(name),
    ...body.tensorTypes(inputs),
    ...body.tensorTypes(results),
    indexIn(RETURNS, returns),
    tokensArgument,
    tokensDivisor,
    maxTokens,
    usesState ? 1 : 0,
    ...body.table(launches.map((launch) => launchWords(body, model, launch))),
  ];
}

/** The bytes of the plan that `model` describes; toy_model.mjs is an example. */
export function writePlan(model) {
  const body = new Body();
  const texts = [model.caratVersion, model.name, model.metadata].flatMap((text) => body.text(text));
  const tables = [
    body.table(model.parameters.map(({ name, bytes }) => [...body.text(name), bytes])),
    body.expressions(model.scratch),
    body.expressions(model.cache),
    body.expressions(model.merged),
    body.table(
      model.copies.map(({ parameter, merged, offset, bytes }) => [
        parameter,
        merged,
        offset,
        bytes,
      ]),
    ),
    body.table(
      model.kernels.map(({ name, info, wgsl }) =>
        [name, info, wgsl].flatMap((text) => body.text(text)),
      ),
    ),
    body.table(model.functions.map((each) => functionWords(body, model, each))),
  ].flat();
  const { magic = MAGIC, version = VERSION, maxContext } = model;
  return body.finish((bytes) => [magic, version, bytes, ...texts, ...tables, maxContext]);
}
