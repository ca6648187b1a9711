/** A frame with all reserved bits set and a reserved opcode: RFC 6455, 5.2, has the receiver fail the connection. */
export const brokenFrame = Buffer.from([0xf3, 0x80, 0, 0, 0, 0]);

/** The header of a masked text frame of so many bytes; the mask is 0, so that the payload is sent as it is. */
export function oversizedFrameHeader(bytes: number): Buffer {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return header;
}
