// The values of TVM's FFI that JavaScript has no own of.

export const types = {
  none: 0,
  int: 1,
  bool: 2,
  float: 3,
  pointer: 4,
  device: 6,
  rawString: 8,
  byteArray: 9,
  smallString: 11,
  string: 65,
  bytes: 66,
  function: 68,
  shape: 69,
  tensor: 70,
  array: 71,
  module: 73,
  kvState: 128,
};

export const CPU = 1;
export const GPU = 15;

/** An integer, which a bare number is not: it arrives as a float. */
export class Int {
  constructor(value) {
    this.value = value;
  }
}
export const int = (value) => new Int(value);

/** A value that a test spells out: {type, word, high}. */
export class RawValue {
  constructor(type, word = 0, high = 0, small = 0) {
    Object.assign(this, { type, word, high, small });
  }
}
