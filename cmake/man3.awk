# SPDX-License-Identifier: Apache-2.0
# awk -v out=FOLDER -v version=0.1.0 -f man3.awk HEADER…: a manual page of section 3 for every public
# function, from the comment above its declaration. scripts/check-contracts.sh reads the same form.

function plain(text, done)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    done = ""
    while (match(text, /@p [A-Za-z0-9_]+/)) {
        done = done substr(text, 1, RSTART - 1) "\\fI" substr(text, RSTART + 3, RLENGTH - 3) "\\fP"
        text = substr(text, RSTART + RLENGTH)
    }
    text = done text
    if (text ~ /^[.']/) text = "\\&" text
    return text
}

# The first sentence, which ends at a full stop or semicolon before a blank.
function brief(text, at)
{
    if (match(text, /[.;:]( |$)/)) text = substr(text, 1, RSTART - 1)
    sub(/\.$/, "", text)
    return text
}

# Split the comment into sections: description, parameters, result, contracts.
function sections(comment, lines, count, i, line, where)
{
    description = parameters = result = contracts = whole = ""
    where = "description"
    gsub(/\. Blocking:/, ".\nBlocking:", comment)
    count = split(comment, lines, "\n")
    for (i = 1; i <= count; i++) {
        line = lines[i]
        sub(/^ *\/?\*+\/?( |$)/, "", line)
        sub(/ *\*\/$/, "", line)
        sub(/^ +/, "", line)
        if (line ~ /^@param /) {
            where = "parameters"
            sub(/^@param +/, "", line)
            match(line, /^[a-z0-9_]+(, [a-z0-9_]+)*/)
            parameters = parameters ".TP\n.I " substr(line, 1, RLENGTH) "\n"
            line = substr(line, RLENGTH + 1)
            sub(/^ +/, "", line)
        } else if (line ~ /^@return/) {
            where = "result"
            sub(/^@return +/, "", line)
        } else if (line ~ /^(Blocking|Threads|NULL|Cost)[:,]/) {
            where = "contracts"
        }
        if (line == "") {
            if (where == "description" && description != "") description = description ".PP\n"
            if (where == "result" || where == "parameters") where = "description"
            continue
        }
        if (where == "description") whole = whole " " line
        line = plain(line) "\n"
        if (where == "description") description = description line
        else if (where == "parameters") parameters = parameters line
        else if (where == "result") result = result line
        else contracts = contracts line
    }
    sub(/(\.PP\n)+$/, "", description)
    sub(/^ /, "", whole)
}

function page(name, prototype, comment, header, file)
{
    sections(comment)
    file = out "/" name ".3"
    printf ".TH %s 3 \"\" \"deepxtrace %s\" \"DeepXTrace Library\"\n", toupper(name), version > file
    printf ".SH NAME\n%s \\- %s\n", name, plain(brief(whole)) > file
    printf ".SH SYNOPSIS\n.nf\n.B #include <deepxtrace/%s>\n.PP\n", header > file
    count = split(prototype, lines, "\n")
    for (i = 1; i <= count; i++) printf ".B \"%s\"\n", plain(lines[i]) > file
    printf ".fi\n" > file
    if (inline) printf ".PP\nThe function is inline and needs no library.\n" > file
    else printf ".PP\nLink with %s.\n", header == "ep.h" ? "\\-ldeepxtrace\\-ep" : "\\-ldeepxtrace" > file
    if (description != "") printf ".SH DESCRIPTION\n%s", description > file
    if (parameters != "") printf ".SH PARAMETERS\n%s", parameters > file
    if (result != "") printf ".SH RETURN VALUE\n%s", result > file
    if (contracts != "") printf ".SH NOTES\n%s", contracts > file
    printf ".SH SEE ALSO\n.BR deepxtrace (1)\n" > file
    close(file)
}

FNR == 1 { comment = declaration = ""; skipped = inside = 0; header = FILENAME; sub(/.*\//, "", header) }
/^#else \/\* DXT_PROBE_DISABLE/ { skipped = 1 } # the empty twins of what is above
/^#endif \/\* DXT_PROBE_DISABLE/ { skipped = 0 }
skipped { next }
/^\/\*\*/ { comment = ""; inside = 1 }
inside { comment = comment $0 "\n"; if (/\*\/$/) inside = 0; next }
declaration == "" && /^(DXT_API|static inline) / {
    inline = /^static/
    sub(/^(DXT_API|static inline) /, "")
    declaration = $0
    if ($0 !~ /\)/) next
}
declaration != "" {
    if (declaration != $0) declaration = declaration "\n" $0
    if ($0 !~ /\)/) next
    sub(/\)[^)]*$/, ");", declaration)
    match(declaration, /dxt_[a-z0-9_]+\(/)
    page(substr(declaration, RSTART, RLENGTH - 1), declaration, comment, header)
    comment = declaration = ""
    next
}
/^[^ \/#*]/ { comment = "" }
