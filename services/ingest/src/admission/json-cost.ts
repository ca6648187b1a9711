import { isAscii } from 'node:buffer';

const quote = 0x22;
const backslash = 0x5c;
// What V8 needs for each, at most: an object or array, a member's slot, an element's slot.
const containerBytes = 64;
const memberBytes = 40;
const elementBytes = 24;

/** Returns an upper estimate of the bytes that JSON.parse needs for a text: the text itself, its strings, and its objects. */
export function jsonCost(body: Buffer): number {
  let containers = 0;
  let members = 0;
  let elements = 0;
  for (let i = 0; i < body.length; i++) {
    switch (body[i]) {
      case quote:
        for (i++; i < body.length && body[i] !== quote; i++) if (body[i] === backslash) i++;
        break;
      case 0x7b:
      case 0x5b:
        containers++;
        break;
      case 0x3a:
        members++;
        break;
      case 0x2c:
        elements++;
    }
  }
  const texts = body.length * (isAscii(body) ? 2 : 4);
  return texts + containers * containerBytes + members * memberBytes + elements * elementBytes;
}
