// SPDX-License-Identifier: Apache-2.0
// What a running `deepxtrace serve` answers, as the page wants it.

class LiveSource {
  constructor(about) { Object.assign(this, { about, runs: [], live: true, loaded: new Map() }); }

  static async open(element) {
    return new LiveSource(JSON.parse(new TextDecoder().decode(await partBytes(element))));
  }
}
