// Fetches what a registry gives out about an event or an agreement, and recomputes it step by step.
//
// No page is touched here: `fetcher` brings answers, `memory` keeps what was seen last time (see remembering), and
// every step comes out as {step, state, values}. States: "holds", "fails", "note". After "fails" nothing follows.
import {
  Unverified, checkConsistency, checkInclusion, equal, fromBase64, fromHex, leafHash, openParts, parseCheckpoint,
  parseEntry, parseNote, parseVerifierKey, toHex, verifyNote,
} from "./verify.js";

const AT_ONCE = 6;
const PAGE = 1000;

/** Verify one event of the log at a position. `keyText` is a verifier key from elsewhere, or empty. */
export async function* checkEvent(fetcher, memory, position, keyText = "") {
  yield* guarded(async function* () {
    const { entry, leaf, parts } = await readEntry(fetcher, position);
    yield holds("leaf", { position, leaf: toHex(leaf) });
    yield holds("entry", said(entry));
    yield* told(fetcher, entry, parts);
    const checkpoint = yield* signed(fetcher, memory, keyText);
    yield await included(fetcher, checkpoint, entry, leaf);
    yield* extended(fetcher, memory, checkpoint);
  });
}

/** Verify every event of an agreement, and that none between the first and the last is missing. */
export async function* checkAgreement(fetcher, memory, id, keyText = "") {
  yield* guarded(async function* () {
    const checkpoint = yield* signed(fetcher, memory, keyText);
    const positions = (await positionsOf(fetcher, id)).filter((position) => position <= checkpoint.size);
    demand(positions.length > 0, "the agreement has no event under the checkpoint yet");
    const entries = [];
    for (let from = 0; from < positions.length; from += AT_ONCE) {
      const some = positions.slice(from, from + AT_ONCE);
      const read = await Promise.all(some.map((position) => readEntry(fetcher, position)));
      await Promise.all(read.map(({ entry, leaf }) => included(fetcher, checkpoint, entry, leaf)));
      for (const [place, { entry }] of read.entries()) {
        demand(entry.position === some[place], `the entry given for position ${some[place]} is of another`);
        demand(entry.agreement === id, `the event at position ${entry.position} is of another agreement`);
        demand(entry.version === entries.length + 1, `version ${entries.length + 1} of the agreement is missing`);
        entries.push(entry);
      }
      yield note("progress", { done: entries.length, all: positions.length });
    }
    yield holds("every", { count: entries.length, last: entries.at(-1).position });
    yield* extended(fetcher, memory, checkpoint);
  });
}

/** Keep what was seen of logs in something like `localStorage`. */
export function remembering(storage, now = () => new Date()) {
  const name = (origin) => `agreement-registry/log/${origin}`;
  return {
    recall(origin) {
      try {
        const kept = JSON.parse(storage.getItem(name(origin)) ?? "null");
        return kept && Number.isSafeInteger(kept.size) ? { ...kept, root: fromHex(kept.root) } : null;
      } catch {
        return null;
      }
    },
    keep({ origin, size, root, key }) {
      storage.setItem(name(origin), JSON.stringify({ size, root: toHex(root), key, seen: now().toISOString() }));
    },
  };
}

/** What failed to come, or came otherwise than it must: the words are for people. */
class Failed extends Error {}

async function* guarded(steps) {
  try {
    yield* steps();
  } catch (error) {
    if (!(error instanceof Unverified || error instanceof Failed)) throw error;
    yield { step: "failed", state: "fails", values: { why: error.message } };
  }
}

function demand(condition, message) {
  if (!condition) throw new Unverified(message);
}

function holds(step, values) {
  return { step, state: "holds", values };
}

function note(step, values) {
  return { step, state: "note", values };
}

function said(entry) {
  return {
    position: entry.position, version: entry.version, agreement: entry.agreement, type: entry.type,
    source: entry.source, id: entry.id, recorded: entry.recordedAt,
  };
}

async function fetched(fetcher, path, kind) {
  let answer;
  try {
    answer = await fetcher(path, { headers: { Accept: kind } });
  } catch {
    throw new Failed(`${path} cannot be fetched`);
  }
  if (!answer.ok) throw new Failed(`${path} was answered with ${answer.status}`);
  return kind === "application/json" ? answer.json() : answer.text();
}

async function readEntry(fetcher, position) {
  const given = await fetched(fetcher, `/events/${position}/entry`, "application/json");
  const raw = fromBase64(given.entry);
  const leaf = await leafHash(raw); // before it is read: a verifier hashes what it was given
  const entry = parseEntry(raw);
  demand(entry.position === position, `the entry given for position ${position} is of another`);
  const opened = given.parts.map((part) => ({ no: part.no, salt: fromBase64(part.salt), data: fromBase64(part.data) }));
  return { entry, leaf, parts: await openParts(entry, opened, given.withheld) };
}

/** Tell which parts are open, withheld and gone; one that is gone needs an event that says so. */
async function* told(fetcher, entry, parts) {
  const count = (state) => parts.filter((part) => part.state === state).length;
  yield holds("parts", { opened: count("opened"), withheld: count("withheld"), gone: count("missing") });
  if (count("missing") === 0) return;
  const path = `/agreements/${encodeURIComponent(entry.agreement)}/events?limit=${PAGE}`;
  const erased = new Set();
  for (const event of await everyEvent(fetcher, path)) {
    const { target, parts: numbers } = event.data ?? {};
    if (event.type !== "agreement.personal-data-erased.v1" || !target) continue;
    if (target.source === entry.source && target.id === entry.id) numbers.forEach((number) => erased.add(number));
  }
  const silent = parts.filter((part) => part.state === "missing" && !erased.has(part.number));
  demand(silent.length === 0, `part ${silent[0]?.number} is gone, and no event says that it was erased`);
  yield holds("erased", { gone: count("missing") });
}

async function everyEvent(fetcher, path) {
  const events = [];
  for (let next = path; next !== null; ) {
    const page = await fetched(fetcher, next, "application/json");
    events.push(...page.events);
    next = page.next ? `${path}&cursor=${encodeURIComponent(page.next)}` : null;
  }
  return events;
}

async function positionsOf(fetcher, id) {
  const events = await everyEvent(fetcher, `/agreements/${encodeURIComponent(id)}/events?limit=${PAGE}`);
  return events.map((event) => Number(event.sequence));
}

/** Verify the checkpoint with the key from elsewhere, the one kept from last time, or the one offered. */
async function* signed(fetcher, memory, keyText) {
  const read = parseNote(await fetched(fetcher, "/checkpoint", "text/plain"));
  const checkpoint = parseCheckpoint(read.text);
  const kept = memory.recall(checkpoint.origin);
  const offered = (await fetched(fetcher, "/log/keys", "text/plain")).split("\n").filter(Boolean);
  const trusted = keyText.trim() || kept?.key;
  const keys = await Promise.all([...new Set(trusted ? [trusted, ...offered] : offered)].map(parseVerifierKey));
  const signers = await verifyNote(read, keys);
  const own = signers.filter((key) => key.name === checkpoint.origin);
  const key = trusted ? own.find((one) => one.text === trusted) : own[0];
  demand(key !== undefined, trusted ? "the checkpoint is not signed with the key that you know" : "the log has not signed its checkpoint");
  const step = keyText.trim() ? "signed_given" : kept?.key ? "signed_kept" : "signed_offered";
  const state = step === "signed_offered" ? note : holds;
  yield state(step, { origin: checkpoint.origin, size: checkpoint.size, root: toHex(checkpoint.root), key: key.text });
  const witnesses = signers.filter((one) => one.name !== checkpoint.origin).map((one) => one.name);
  if (witnesses.length > 0) yield note("witnesses", { names: witnesses.join(", ") });
  return { ...checkpoint, key: key.text };
}

async function included(fetcher, checkpoint, entry, leaf) {
  if (entry.position > checkpoint.size) {
    throw new Failed(`position ${entry.position} is not under a checkpoint yet; it will be within a second`);
  }
  const path = `/log/proof/inclusion?position=${entry.position}&size=${checkpoint.size}`;
  const proof = await fetched(fetcher, path, "application/json");
  const hashes = proof.hashes.map(fromHex);
  await checkInclusion(entry.position - 1, checkpoint.size, leaf, hashes, checkpoint.root);
  return holds("included", { count: hashes.length, size: checkpoint.size, root: toHex(checkpoint.root) });
}

/** Demand that the log still holds what this browser saw of it, then keep what it sees now. */
async function* extended(fetcher, memory, checkpoint) {
  const kept = memory.recall(checkpoint.origin);
  if (kept === null) {
    yield note("first", { size: checkpoint.size });
  } else {
    demand(kept.size <= checkpoint.size, `the log was longer before: ${kept.size} events, now ${checkpoint.size}`);
    const path = `/log/proof/consistency?from=${kept.size}&to=${checkpoint.size}`;
    const proof = await fetched(fetcher, path, "application/json");
    await checkConsistency(kept.size, checkpoint.size, kept.root, checkpoint.root, proof.hashes.map(fromHex));
    yield holds("extends", { size: kept.size, seen: kept.seen ?? "" });
    if (kept.size === checkpoint.size && equal(kept.root, checkpoint.root) && kept.key) return;
  }
  memory.keep(checkpoint);
}
