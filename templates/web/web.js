// Makes pages nicer that work without it.
"use strict";
