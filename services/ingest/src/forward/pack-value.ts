/** A value that the server sends: an answer of a handshake, or an acknowledgement. */
export type SentValue =
  string | boolean | Buffer | readonly SentValue[] | { readonly [name: string]: SentValue };

/** Returns a value in MessagePack. Its parts are short: up to 65,535 bytes or values. */
export function packValue(value: SentValue): Buffer {
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([headOf(0xda, text.length), text]);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([headOf(0xc5, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([headOf(0xdc, value.length), ...value.map(packValue)]);
  const members = Object.entries(value as Readonly<Record<string, SentValue>>);
  return Buffer.concat([
    headOf(0xde, members.length),
    ...members.flatMap(([name, member]) => [packValue(name), packValue(member)]),
  ]);
}

function headOf(type: number, length: number): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(length, 1);
  return head;
}
