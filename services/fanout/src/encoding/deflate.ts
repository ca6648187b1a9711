import type { WebSocket, PerMessageDeflateOptions } from 'ws';
import { constants, deflateRawSync } from 'node:zlib';

/**
 * How permessage-deflate (RFC 7692) is negotiated: without a context that is kept between messages, so that one compressed frame can be
 * sent to everybody. `ws` only decompresses what clients send; its own compression, with one context per connection, is never used.
 */
export const perMessageDeflate: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
};

const extensionName = 'permessage-deflate';
const fullWindowBits = 15;

interface PerMessageDeflate {
  params: { server_max_window_bits?: number } | null;
  /** Releases what it holds of zlib. */
  cleanup(): void;
}

// `ws` exposes only the names of negotiated extensions; this is where it keeps them (ws/lib/websocket.js, setSocket).
function extensionOf(ws: WebSocket): PerMessageDeflate | undefined {
  return (ws as unknown as { _extensions?: Record<string, PerMessageDeflate> })._extensions?.[extensionName];
}

/** Whether the peer can read our compressed frames: it offered the extension, with a window that is large enough. */
export function takesDeflated(ws: WebSocket): boolean {
  const extension = extensionOf(ws);
  return (
    extension !== undefined && (extension.params?.server_max_window_bits ?? fullWindowBits) >= fullWindowBits
  );
}

/**
 * Frees the memory (some 40 KB) in which `ws` unpacked the peer's last message. The next one starts without it, because no context was
 * negotiated.
 */
export function releaseInflater(ws: WebSocket): void {
  extensionOf(ws)?.cleanup();
}

/**
 * The payload of a compressed message (RFC 7692, section 7.2.1: flushed to a byte boundary, without the last four bytes). The lowest
 * level: it is run for each batch on the thread that serves all viewers.
 */
export function deflateMessage(payload: Buffer): Buffer {
  const deflated = deflateRawSync(payload, {
    level: constants.Z_BEST_SPEED,
    windowBits: fullWindowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return deflated.subarray(0, -4);
}
