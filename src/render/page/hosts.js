// SPDX-License-Identifier: Apache-2.0
// Hosts, nodes and other stretches of ranks beside a map.

const leftOf = (run) => (severalHosts(run) ? 132 : 72);

// How wide the number of a rank may be.
const numberWidth = (context, run) => context.measureText(String(run.ranks - 1)).width;

// Without the domain that all share.
function shortHost(run, rank) {
  if (run.domain === undefined) {
    const ends = run.hosts.map((name) => (name.includes(".") ? name.slice(name.indexOf(".")) : ""));
    run.domain = ends.every((end) => end === ends[0]) ? ends[0].length : 0;
  }
  const name = hostOf(run, rank);
  return name.slice(0, name.length - run.domain);
}

function stretches(ranks) {
  const list = [];
  for (const rank of [...ranks].sort((a, b) => a - b)) {
    const last = list[list.length - 1];
    if (last && last[0] + last[1] === rank) last[1]++;
    else list.push([rank, 1]);
  }
  return list;
}

// Where the next node begins; nothing if nodes are not known or are not in a row.
function nodeEnds(run) {
  if (run.ends) return run.ends;
  const of = run.nodes || (severalHosts(run) ? run.host : null);
  run.ends = [];
  for (let rank = 1; of && rank < run.ranks; rank++) if (of[rank] !== of[rank - 1]) run.ends.push(rank);
  return run.ends;
}

function hostStretches(run) {
  if (run.stretches) return run.stretches;
  run.stretches = [];
  for (let rank = 0; rank < run.ranks; rank++) {
    const last = run.stretches[run.stretches.length - 1];
    if (last && run.host[last[0]] === run.host[rank]) last[1]++;
    else run.stretches.push([rank, 1]);
  }
  return run.stretches;
}
