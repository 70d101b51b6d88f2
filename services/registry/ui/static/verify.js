// Verifies what an agreement registry says, with WebCrypto and nothing else: in a browser, in Node, in Deno.
//
// Formats: RFC 9162 section 2.1 (tree and proofs), C2SP signed-note, tlog-checkpoint and tlog-cosignature, and the
// registry's own log format (leaf, commitment). Everything is read strictly: one spelling, or an error that says why.
// Nothing in here touches a page or the network; the caller brings what was fetched.

const PART_DOMAIN = "agreement-registry/part/v1\0";
const URL_NAMESPACE = Uint8Array.from([0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8]);
const ED25519 = 0x01;
const COSIGNATURE = 0x04;
const MEMBERS = ["id", "parts", "rec", "seq", "source", "stream", "type", "v", "ver"];
const MAX_ENTRY_BYTES = 65535;
const MAX_SIGNATURES = 100;
const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const encoder = new TextEncoder();
const strictDecoder = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What was given is not what it claims to be, or does not hold. `message` says what and why. */
export class Unverified extends Error {
  name = "Unverified";
}

function demand(condition, message) {
  if (!condition) throw new Unverified(message);
}

// --- bytes ------------------------------------------------------------------------------------------------------

/** The bytes of some pieces, one after the other. */
export function joined(...pieces) {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  demand(typeof text === "string" && /^([0-9a-f]{2})*$/.test(text), "hexadecimal digits are in pairs and lower case");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Read base64 (RFC 4648 section 4) in the one spelling that it has. */
export function fromBase64(text) {
  demand(typeof text === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(text), "this is no base64");
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Unverified("this is no base64");
  }
  demand(toBase64(bytes) === text, "base64 has one spelling only");
  return bytes;
}

async function sha256(...pieces) {
  return new Uint8Array(await subtle().digest("SHA-256", joined(...pieces)));
}

function subtle() {
  demand(globalThis.crypto?.subtle, "this browser gives WebCrypto to pages over https and on localhost only");
  return globalThis.crypto.subtle;
}

function bigEndian(number, bytes) {
  const written = new Uint8Array(bytes);
  let rest = BigInt(number);
  for (let at = bytes - 1; at >= 0; at -= 1) {
    written[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return written;
}

// --- the tree (RFC 9162 section 2.1) ------------------------------------------------------------------------------

export function leafHash(entry) {
  return sha256(Uint8Array.of(0), entry);
}

export function nodeHash(left, right) {
  return sha256(Uint8Array.of(1), left, right);
}

/** The root that a leaf and its path lead to. Sizes and indexes are numbers below 2^53. */
export async function rootOf(index, size, leaf, path) {
  demand(Number.isSafeInteger(index) && Number.isSafeInteger(size) && 0 <= index && index < size, "there is no such leaf");
  let [place, last, hash] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const next of path) {
    demand(last > 0n, "the proof is longer than the way to the root");
    demand(next.length === 32, "a hash has 32 bytes");
    if (place % 2n === 1n || place === last) {
      hash = await nodeHash(next, hash);
      while (place % 2n === 0n && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else {
      hash = await nodeHash(hash, next);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  demand(last === 0n, "the proof ends before the root");
  return hash;
}

/** Demand that a leaf is in the tree of a checkpoint. */
export async function checkInclusion(index, size, leaf, path, root) {
  demand(equal(await rootOf(index, size, leaf, path), root), "the proof leads to another root than the checkpoint's");
}

/** Demand that a tree extends an earlier one (RFC 9162 section 2.1.4.2). */
export async function checkConsistency(oldSize, newSize, oldRoot, newRoot, proof) {
  demand(Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && 0 <= oldSize, "a size is no number");
  demand(oldSize <= newSize, "the log has become shorter");
  if (oldSize === newSize) {
    demand(proof.length === 0, "nothing is to be proved between equal sizes");
    demand(equal(oldRoot, newRoot), "two different trees of one size: the log was forked");
    return;
  }
  if (oldSize === 0) {
    demand(proof.length === 0, "nothing is to be proved from an empty log");
    demand(toHex(oldRoot) === SHA256_OF_NOTHING, "an empty log has another root");
    return;
  }
  demand(proof.every((hash) => hash.length === 32), "a hash has 32 bytes");
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  demand(path.length > 0, "the proof is empty");
  let [first, second] = [BigInt(oldSize) - 1n, BigInt(newSize) - 1n];
  while (first % 2n === 1n) [first, second] = [first >> 1n, second >> 1n];
  let [old, now] = [path[0], path[0]];
  for (const next of path.slice(1)) {
    demand(second > 0n, "the proof is longer than the way to the root");
    if (first % 2n === 1n || first === second) {
      old = await nodeHash(next, old);
      now = await nodeHash(next, now);
      while (first % 2n === 0n && first !== 0n) [first, second] = [first >> 1n, second >> 1n];
    } else {
      now = await nodeHash(now, next);
    }
    [first, second] = [first >> 1n, second >> 1n];
  }
  demand(second === 0n, "the proof ends before the root");
  demand(equal(old, oldRoot), "the log of today does not contain the earlier one: its past was changed");
  demand(equal(now, newRoot), "the proof leads to another root than the checkpoint's");
}

function isPowerOfTwo(size) {
  const whole = BigInt(size);
  return (whole & (whole - 1n)) === 0n;
}

// --- entries and parts (the registry's log format) ---------------------------------------------------------------

/** The UUIDv5 of an event, 16 bytes. */
export async function eventUuid(source, id) {
  demand(!source.includes("\n"), "a source holds no line feed");
  const name = joined(URL_NAMESPACE, encoder.encode(`${source}\n${id}`));
  const uuid = new Uint8Array(await subtle().digest("SHA-1", name)).slice(0, 16);
  uuid[6] = (uuid[6] & 0x0f) | 0x50;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  return uuid;
}

/** The commitment to part `number` of an event: the 32 bytes that its entry holds. */
export function commitment(salt, uuid, number, data) {
  demand(salt.length === 32 && uuid.length === 16, "a commitment takes a salt of 32 bytes and a UUID of 16");
  return sha256(encoder.encode(PART_DOMAIN), salt, uuid, bigEndian(number, 2), bigEndian(data.length, 4), data);
}

/** Read an entry: only its one canonical form is taken. Hash the bytes before, not what is given back. */
export function parseEntry(bytes) {
  demand(bytes.length <= MAX_ENTRY_BYTES, "an entry has at most 65,535 bytes");
  let entry;
  try {
    entry = JSON.parse(strictDecoder().decode(bytes));
  } catch {
    throw new Unverified("the entry is no JSON text");
  }
  demand(entry !== null && typeof entry === "object" && !Array.isArray(entry), "an entry is an object");
  demand(Object.keys(entry).sort().join() === MEMBERS.join(), "an entry has other members");
  for (const name of ["id", "rec", "source", "stream", "type"]) demand(typeof entry[name] === "string", `${name} is no string`);
  for (const name of ["seq", "v", "ver"]) demand(Number.isSafeInteger(entry[name]), `${name} is no integer`);
  demand(entry.v === 1, "this leaf format is not known");
  demand(entry.seq >= 1 && entry.ver >= 0, "position or version is out of range");
  demand(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(entry.rec), "the record time is written otherwise");
  demand(Array.isArray(entry.parts) && entry.parts.length > 0, "an entry holds commitments");
  const commitments = entry.parts.map(fromBase64);
  demand(commitments.every((one) => one.length === 32), "a commitment has 32 bytes");
  const canonical = JSON.stringify(Object.fromEntries(MEMBERS.map((name) => [name, entry[name]])));
  demand(equal(encoder.encode(canonical), bytes), "the entry is not in its canonical form");
  return {
    id: entry.id, source: entry.source, type: entry.type, agreement: entry.stream,
    position: entry.seq, version: entry.ver, recordedAt: entry.rec, commitments,
  };
}

/**
 * Open the parts of an event: `parts` are {no, salt, data} with bytes, `withheld` numbers of parts that exist and are
 * not shown. Gives for each part its number, its state ("opened", "withheld", "missing") and its JSON when opened.
 * "missing" is right only when the log says that the part was erased, which is the caller's to look for.
 */
export async function openParts(entry, parts, withheld = []) {
  const uuid = await eventUuid(entry.source, entry.id);
  const given = new Map(parts.map((part) => [part.no, part]));
  demand(given.size === parts.length, "a part is given twice");
  for (const number of [...given.keys(), ...withheld]) {
    demand(Number.isInteger(number) && 0 <= number && number < entry.commitments.length, `there is no part ${number}`);
  }
  return Promise.all(
    entry.commitments.map(async (committed, number) => {
      const part = given.get(number);
      if (part === undefined) return { number, state: withheld.includes(number) ? "withheld" : "missing" };
      const opened = await commitment(part.salt, uuid, number, part.data);
      demand(equal(opened, committed), `part ${number} is not what the entry committed to`);
      return { number, state: "opened", content: JSON.parse(strictDecoder().decode(part.data)) };
    }),
  );
}

// --- notes and checkpoints (C2SP) ---------------------------------------------------------------------------------

function checkName(name) {
  demand(name !== "" && !/[+\s\x00-\x1f\x7f]/u.test(name), "the name of a key is not empty and has no spaces and no +");
}

/** Read a verifier key, `name+id+key`. */
export async function parseVerifierKey(text) {
  const [name, id, ...rest] = text.split("+");
  const material = fromBase64(rest.join("+"));
  checkName(name);
  demand(/^[0-9a-f]{8}$/.test(id ?? ""), "the id of a key is 8 hexadecimal digits in lower case");
  demand([ED25519, COSIGNATURE].includes(material[0]) && material.length === 33, "this is no public key of a kind that is known here");
  const digest = await sha256(encoder.encode(`${name}\n`), material);
  demand(toHex(digest.slice(0, 4)) === id, "the id of the key is not that of its name and key");
  return { name, id, kind: material[0], publicKey: material.slice(1), text };
}

/** Read a signed note from its text: {text, signatures: [{name, id, signature}]}. Nothing is verified yet. */
export function parseNote(whole) {
  demand(!/[\x00-\x09\x0b-\x1f]/.test(whole), "a note has no control characters but line feeds");
  demand(whole.isWellFormed?.() ?? true, "a note is text");
  const split = whole.lastIndexOf("\n\n");
  demand(split >= 0 && whole.endsWith("\n") && split + 2 < whole.length, "a note is a text, an empty line and signature lines");
  const lines = whole.slice(split + 2, -1).split("\n");
  demand(lines.length <= MAX_SIGNATURES, "a note has at most 100 signatures");
  const signatures = lines.map((line) => {
    demand(line.startsWith("— "), "a signature line begins with an em dash and a space");
    const space = line.indexOf(" ", 2);
    demand(space > 0, "a signature line holds a name and a signature");
    const name = line.slice(2, space);
    checkName(name);
    const decoded = fromBase64(line.slice(space + 1));
    demand(decoded.length > 4, "a signature line holds the id of a key and a signature");
    return { name, id: toHex(decoded.slice(0, 4)), signature: decoded.slice(4) };
  });
  demand(new Set(signatures.map((one) => `${one.name}+${one.id}`)).size === signatures.length, "a key signs a note once");
  return { text: whole.slice(0, split + 1), signatures };
}

/** Verify a note with some keys; gives the keys that signed it. An error when none did, or one falsely. */
export async function verifyNote(note, keys) {
  const signed = [];
  for (const { name, id, signature } of note.signatures) {
    const key = keys.find((known) => known.name === name && known.id === id);
    if (key === undefined) continue;
    demand(await signatureHolds(key, note.text, signature), `the signature of ${name} does not hold`);
    signed.push(key);
  }
  demand(signed.length > 0, "no key that is known has signed the note");
  return signed;
}

async function signatureHolds(key, text, signature) {
  let [message, bare] = [text, signature];
  if (key.kind === COSIGNATURE) {
    if (signature.length !== 72) return false;
    const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    if (time >= 1n << 63n) return false;
    [message, bare] = [`cosignature/v1\ntime ${time}\n${text}`, signature.slice(8)];
  }
  const imported = await subtle().importKey("raw", key.publicKey, { name: "Ed25519" }, false, ["verify"]);
  return subtle().verify({ name: "Ed25519" }, imported, bare, encoder.encode(message));
}

/** Read the text of a checkpoint: {origin, size, root}. */
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  demand(lines.pop() === "" && lines.length >= 3, "a checkpoint has an origin, a size and a root, each on its line");
  demand(lines.every((line) => line !== ""), "no line of a checkpoint is empty");
  const [origin, size, encoded] = lines;
  demand(/^(0|[1-9][0-9]{0,18})$/.test(size), "a size is written in ASCII digits without leading zeros");
  demand(BigInt(size) < 1n << 63n, "a size is below 2^63");
  demand(Number.isSafeInteger(Number(size)), "a log this long is beyond what is counted here");
  const root = fromBase64(encoded);
  demand(root.length === 32, "a hash has 32 bytes");
  return { origin, size: Number(size), root };
}
