const finalText = 0x81;
const finalBinary = 0x82;
const compressed = 0x40;

/** A ping without payload (RFC 6455, section 5.5.2). */
export const pingFrame = Buffer.from([0x89, 0]);

/** A whole text message as one WebSocket frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerBytes(length) + length);
  frame.write(text, writeHeader(frame, finalText, length));
  return frame;
}

/** A whole binary message as one WebSocket frame. */
export function binaryFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes(payload.length) + payload.length);
  payload.copy(frame, writeHeader(frame, finalBinary, payload.length));
  return frame;
}

/** A whole text message, compressed by deflateMessage(), as one WebSocket frame: RSV1 marks it (RFC 7692, section 7.2.3.1). */
export function deflatedTextFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes(payload.length) + payload.length);
  payload.copy(frame, writeHeader(frame, finalText | compressed, payload.length));
  return frame;
}

/** The payload of a frame of textFrame(), without copying it. */
export function payloadOf(frame: Buffer): Buffer {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10;
}

/**
 * FIN and opcode, then the length in 7, 16 or 64 bits; unmasked, as a server's frames are (RFC 6455, section 5.2). Returns its own
 * length.
 */
function writeHeader(frame: Buffer, firstByte: number, length: number): number {
  frame[0] = firstByte;
  const size = headerBytes(length);
  if (size === 2) {
    frame[1] = length;
  } else if (size === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  return size;
}
