import { pollTransport } from './poll/poll-transport.ts';
import { sseTransport } from './sse/sse-transport.ts';
import type { Transport } from './transport.ts';
import { webSocketTransport } from './web-socket/web-socket-transport.ts';

/** Every transport that viewers may connect by. */
export const transports: readonly Transport[] = [webSocketTransport, sseTransport, pollTransport];
