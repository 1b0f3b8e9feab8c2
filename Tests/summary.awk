# Reads the output of `swift test`: shows failures and skips as they come, then counts and the ten slowest tests.
# Exit status 1 when a test failed or none ran.

/^✔ Test run with/ || /^✘ Test run with/ { run_line = $0; next }

/^✔ Test / && / passed after / {
    passed++
    remember($0)
    next
}

/^✘ Test / && / failed after / {
    failed++
    remember($0)
    print
    next
}

/^➜ Test / || /^[^ ]+ Test .* skipped/ {
    skipped++
    print
    next
}

/^✔ Suite/ || /^✘ Suite/ || /^◇/ || /^↳/ || /^Test Suite/ || /Executed 0 tests/ { next }

{ print }

function remember(line,    parts, name, seconds) {
    name = line
    sub(/^[^ ]+ Test /, "", name)
    seconds = name
    sub(/ (passed|failed) after .*/, "", name)
    sub(/.* after /, "", seconds)
    sub(/ seconds.*/, "", seconds)
    count++
    times[count] = seconds + 0
    names[count] = name
}

END {
    print ""
    print "The ten slowest tests (seconds; they run side by side):"
    for (rank = 1; rank <= 10 && rank <= count; rank++) {
        best = 0
        for (i = 1; i <= count; i++) if (!taken[i] && (best == 0 || times[i] > times[best])) best = i
        taken[best] = 1
        printf "  %8.2f  %s\n", times[best], names[best]
    }
    print ""
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    # A crash of the test process leaves no closing line.
    if (run_line == "") { print "the test process ended early"; exit 1 }
    if (failed > 0 || passed == 0) exit 1
}
