/** The keys could not be fetched or read; this says nothing about the token. */
export class KeysUnavailable extends Error {}
