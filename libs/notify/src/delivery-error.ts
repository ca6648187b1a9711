/** Why a receiver was not told. The message names neither a secret nor the path of a URL, which may be one. */
export class DeliveryError extends Error {
  /** Whether the same request cannot succeed later. */
  readonly isFinal: boolean;
  /** When the receiver wants to be asked again, ms from now; undefined: it did not say. */
  readonly retryAfterMs: number | undefined;
  /** Whether it gave no answer at all. */
  readonly isSilent: boolean;

  constructor(
    message: string,
    {
      isFinal = false,
      isSilent = false,
      retryAfterMs,
      ...options
    }: ErrorOptions & { isFinal?: boolean; isSilent?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = 'DeliveryError';
    this.isFinal = isFinal;
    this.isSilent = isSilent;
    this.retryAfterMs = retryAfterMs;
  }
}
