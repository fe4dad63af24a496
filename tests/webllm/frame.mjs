// The runtime's memory as a call of it needs it.

export const encodeText = (text) => new TextEncoder().encode(text);

/** Memory of one call, and references that end with it. */
export class Frame {
  #allocations = [];
  #objects = [];

  constructor(host) {
    this.host = host;
  }

  allocate(size) {
    const address = this.host.allocate(size);
    this.#allocations.push(address);
    return address;
  }

  bytes(bytes) {
    const address = this.allocate(bytes.length);
    this.host.bytes(address, bytes.length).set(bytes);
    return address;
  }

  /** The address of a {data, size} of these bytes. */
  byteArray(bytes) {
    const data = this.bytes(bytes);
    const address = this.allocate(8);
    this.host.view.setUint32(address, data, true);
    this.host.view.setUint32(address + 4, bytes.length, true);
    return address;
  }

  releaseLater(object) {
    this.#objects.push(object);
  }

  free() {
    for (const object of this.#objects)
      this.host.check(this.host.exports.TVMFFIObjectDecRef(object));
    for (const address of this.#allocations) this.host.free(address);
  }
}
