/** The keys could not be had; says nothing about the token. */
export class KeysUnavailable extends Error {}
