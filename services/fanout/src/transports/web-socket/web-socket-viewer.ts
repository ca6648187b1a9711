import type { Serde } from '@logloom/schema-registry';
import type { Socket } from 'node:net';
import { avroFrame, avroSubprotocol } from '../../encoding/avro-frame.ts';
import type { DeliveryBatch } from '../../encoding/delivery-batch.ts';
import { DroppedMessages } from './dropped-messages.ts';
import type { ConnectionSlot } from '../../admission/principal-limiter.ts';
import { parseClientMessage, type ClientMessage } from '../../protocol/client-message.ts';
import { ClientRate } from '../../admission/client-rate.ts';
import { liveError, type LiveError } from '../../errors.ts';
import { releaseInflater, takesDeflated } from '../../encoding/deflate.ts';
import { pingFrame, textFrame } from '../../encoding/frame.ts';
import type { LiveSocket, LiveSocketOwner } from './live-socket.ts';
import type { LiveCounts } from '../../server/live-counts.ts';
import { serverMessage } from '../../protocol/server-message.ts';
import type { ViewerContext } from '../../delivery/viewer-context.ts';
import type { ViewerActivity } from '../../server/viewer-directory.ts';
import { ViewerSubscriptions } from '../../delivery/viewer-subscriptions.ts';
import type { Viewer } from '../../delivery/viewer.ts';

/** Replies that a client may let pile up, beside its budget of events, before it is cut off. */
const maxQueuedReplies = 1 << 20;
const heartbeatFrame = textFrame(serverMessage.heartbeat);
/** With a ping, in one write. */
const beat = Buffer.concat([heartbeatFrame, pingFrame]);

/**
 * A viewer on a WebSocket. Frames go straight to the socket, because batches are framed once for all viewers; `ws` reads, and writes pongs
 * and closes. It never compresses, so it writes at once, and everything stays in order.
 */
export class WebSocketViewer implements Viewer, LiveSocketOwner {
  readonly #ws: LiveSocket;
  readonly #socket: Socket;
  readonly #subscriptions: ViewerSubscriptions;
  readonly #rate: ClientRate;
  readonly #maxMessageBytes: number;
  /** For a viewer that receives Avro. */
  readonly #serde: Serde | undefined;
  readonly #takesDeflated: boolean;
  readonly #maxQueued: number;
  readonly #counts: LiveCounts;
  readonly #onClose: (viewer: WebSocketViewer) => void;
  #dropped: DroppedMessages | undefined;
  #isAlive = true;
  #queuedAtBeat = 0;
  #takenAtBeat = 0;

  /** `onClose` is called once, when the connection is gone. The viewer releases its slot then. */
  constructor(
    ws: LiveSocket,
    socket: Socket,
    context: ViewerContext,
    slot: ConnectionSlot,
    heartbeatMs: number,
    onClose: (viewer: WebSocketViewer) => void,
  ) {
    this.#ws = ws;
    this.#socket = socket;
    this.#onClose = onClose;
    this.#rate = new ClientRate(context.limits, slot, performance.now());
    this.#maxMessageBytes = context.limits.messageBytes;
    this.#serde = ws.protocol === avroSubprotocol ? context.serde : undefined;
    this.#takesDeflated = takesDeflated(ws);
    this.#counts = context.counts;
    this.#maxQueued = context.viewerBudgetBytes + maxQueuedReplies;
    this.#subscriptions = new ViewerSubscriptions(this, context, (error) => this.#tellError(error));
    ws.owner = this;
    this.tell(serverMessage.hello(heartbeatMs, context.limits.messageBytes));
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get queuedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  encode(batch: DeliveryBatch): Buffer {
    if (this.#serde !== undefined) return avroFrame(batch, this.#serde);
    return this.#takesDeflated ? batch.deflatedFrame : batch.frame;
  }

  write(bytes: Buffer): void {
    if (this.isOpen) this.#socket.write(bytes);
  }

  tell(message: string): void {
    this.write(textFrame(message));
    if (this.queuedBytes > this.#maxQueued) this.#ws.terminate();
  }

  /** Called once in a heartbeat: a peer without a sign of life since the last one is gone. */
  heartbeat(): void {
    if (!this.isOpen) return;
    // A slow peer's pong waits behind its queue; a shrinking queue is a sign of life too.
    const taken = this.#socket.bytesWritten - this.queuedBytes;
    const isTaking = this.#queuedAtBeat > 0 && taken > this.#takenAtBeat;
    if (!this.#isAlive && !isTaking) return this.#ws.terminate();
    this.#isAlive = false;
    this.#subscriptions.moveCursors();
    this.write(beat);
    this.#queuedAtBeat = this.queuedBytes;
    this.#takenAtBeat = this.#socket.bytesWritten - this.#queuedAtBeat;
  }

  figures(nowMs: number, sinceMs: number): ViewerActivity {
    return this.#subscriptions.figures(nowMs, sinceMs);
  }

  goodbye(reason: string, retryAfterMs: number): void {
    this.tell(serverMessage.goodbye(reason, retryAfterMs));
  }

  /** Closes as a server that restarts does (1012). */
  close(): void {
    this.#subscriptions.close();
    this.#ws.close(1012);
  }

  evict(retryAfterMs: number): void {
    this.goodbye('slow', retryAfterMs);
    this.#subscriptions.close();
    // Try again later (IANA's registry for RFC 6455).
    this.#ws.close(1013);
  }

  /** Closes because its token has expired (4401, after HTTP's 401). */
  expire(): void {
    this.#tellError(liveError('token-expired'));
    this.#subscriptions.close();
    this.#ws.close(4401);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  ponged(): void {
    this.#isAlive = true;
  }

  closed(): void {
    this.#subscriptions.close();
    this.#dropped?.close();
    this.#rate.release();
    this.#onClose(this);
  }

  received(data: Buffer, isBinary: boolean): void {
    this.#isAlive = true;
    releaseInflater(this.#ws);
    if (!this.isOpen) return;
    if (!this.#rate.admitMessage(performance.now())) return this.#drop(data, isBinary);
    if (isBinary) return this.#tellError(liveError('binary-not-supported'));
    if (data.length > this.#maxMessageBytes) {
      const message = `a message may have at most ${this.#maxMessageBytes} bytes`;
      return this.#tellError(liveError('message-too-large', { message }));
    }
    const parsed = parseClientMessage(data.toString());
    if (parsed.ok) this.#handle(parsed.message);
    else this.#tellError(parsed.error);
  }

  /** `ws` replies to a ping; it counts as a message. */
  pinged(data: Buffer): void {
    this.#isAlive = true;
    if (this.isOpen && !this.#rate.admitMessage(performance.now())) this.#drop(data, true);
  }

  #drop(data: Buffer, isBinary: boolean): void {
    if (this.#rate.isFlood()) {
      this.#tellError(liveError('flooding'));
      this.#subscriptions.close();
      // A policy was violated (RFC 6455, section 7.4.1).
      return this.#ws.close(1008);
    }
    this.#dropped ??= new DroppedMessages(({ count, named }) => {
      for (const { type, id } of named) {
        const message = `this ${type} was ignored; send it again`;
        this.#tellError(liveError('rate-limited', { id, message }));
      }
      const message = `too many messages; ${count} were ignored`;
      this.#tellError(liveError('rate-limited', { message }));
    });
    this.#dropped.add(data, isBinary);
  }

  #handle(message: ClientMessage): void {
    switch (message.type) {
      case 'ping':
        return this.write(heartbeatFrame);
      case 'subscribe':
        if (!this.#rate.admitSubscribe(performance.now())) {
          const details = { message: 'too many subscribe messages; try again', id: message.id };
          return this.#tellError(liveError('rate-limited', details));
        }
        return void this.#subscriptions.subscribe(message);
      case 'unsubscribe':
        return this.#subscriptions.unsubscribe(message.id);
      case 'ack':
        return this.#subscriptions.ack(message.id, message.cursor);
      case 'pause':
        return this.#subscriptions.pause(message.id, message.forMs);
      case 'resume':
        return this.#subscriptions.resume(message.id);
    }
  }

  #tellError(error: LiveError): void {
    this.#counts.told(error.code);
    this.tell(serverMessage.error(error));
  }
}
