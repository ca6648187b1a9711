import { readInt64 } from './record-batch.ts';

/** Reads the types of Kafka's flexible versions. Source: https://kafka.apache.org/protocol#protocol_types and KIP-482. */
export class FlexibleReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  skip(count: number): void {
    this.#at += count;
  }

  bytes(count: number): Buffer {
    return this.#data.subarray(this.#at, (this.#at += count));
  }

  int16(): number {
    return this.#data.readInt16BE((this.#at += 2) - 2);
  }

  int32(): number {
    return this.#data.readInt32BE((this.#at += 4) - 4);
  }

  int64(): number {
    return readInt64(this.#data, (this.#at += 8) - 8);
  }

  /** Unsigned; also the length, plus one, of a string, an array or bytes, where 0 stands for null. */
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#data[this.#at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  /** A string; '' for null. */
  text(): string {
    return this.bytes(Math.max(0, this.varint() - 1)).toString();
  }

  skipTags(): void {
    for (let tags = this.varint(); tags > 0; tags--) {
      this.varint();
      this.skip(this.varint());
    }
  }
}
