# Reads the XML report of `swift test --xunit-output`: prints what was skipped and why, the ten slowest tests and the counts.
# Exit status 1 when a test failed or none ran.

/<testcase / {
    split($0, quoted, "\"")
    name = quoted[2] "/" quoted[4]
    gsub(/&quot;/, "'", name)
    tests++
    if (quoted[5] ~ /time=/) {
        count++
        names[count] = name
        times[count] = quoted[6] + 0
    }
    next
}
/<failure/ { failures[name]++; next }
/<skipped/ {
    skipped++
    reason = $0
    sub(/^.*<skipped[^>]*>/, "", reason)
    sub(/<\/skipped>.*$/, "", reason)
    printf "skipped %s: %s\n", name, reason
}

END {
    for (name in failures) failed++
    print "\nThe ten slowest tests, in seconds:"
    for (rank = 1; rank <= 10 && rank <= count; rank++) {
        best = 0
        for (i = 1; i <= count; i++) if (!taken[i] && (best == 0 || times[i] > times[best])) best = i
        taken[best] = 1
        printf "  %8.2f  %s\n", times[best], names[best]
    }
    printf "\n%d passed, %d failed, %d skipped\n", tests - failed - skipped, failed, skipped
    if (failed > 0 || tests == skipped) exit 1
}
