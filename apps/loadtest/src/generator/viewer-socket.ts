/** The connection of a viewer, as a crowd needs it. */
export interface ViewerSocket {
  send(text: string): void;
  /** Closes with a close frame. */
  close(): void;
  /** Ends as a cut network does, without a close frame. */
  terminate(): void;
  /** Reads nothing until resume(). */
  pause(): void;
  resume(): void;
}

/** Who a ViewerSocket calls. */
export interface ViewerSocketOwner {
  onOpen(): void;
  /** The bytes are lent: they are others after the call. */
  onMessage(bytes: Buffer, isBinary: boolean): void;
  /** The connection has ended, or was never made. `reason` has few values. */
  onClose(reason: string): void;
}
