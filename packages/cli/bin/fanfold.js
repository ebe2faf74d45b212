#!/usr/bin/env node
// There before anything is compiled, so that `npm ci` links the command.
import '../dist/src/main.js'
