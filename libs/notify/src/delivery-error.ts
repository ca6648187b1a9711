/** Why a receiver was not told. The message names neither a secret nor the path of a URL, which may be one. */
export class DeliveryError extends Error {
  /** Whether the same request cannot succeed later. */
  readonly isFinal: boolean;
  /** When the receiver wants to be asked again, ms from now; undefined: it did not say. */
  readonly retryAfterMs: number | undefined;
  /** Whether it gave no answer at all. */
  readonly isSilent: boolean;
  /** Whether it certainly has not taken the message: it said so, or was never reached. Otherwise it may have. */
  readonly isRefused: boolean;

  constructor(
    message: string,
    {
      isFinal = false,
      isSilent = false,
      isRefused = false,
      retryAfterMs,
      ...options
    }: ErrorOptions & {
      isFinal?: boolean;
      isSilent?: boolean;
      isRefused?: boolean;
      retryAfterMs?: number | undefined;
    } = {},
  ) {
    super(message, options);
    this.name = 'DeliveryError';
    this.isFinal = isFinal;
    this.isSilent = isSilent;
    this.isRefused = isRefused;
    this.retryAfterMs = retryAfterMs;
  }
}
