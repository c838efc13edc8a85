package banner

// Lengths from which letters and digits are an id and no version or name.
const (
	idDigits      = 5 // 10.0.17763 is a version: in dotted numbers, versionDigits are let be
	versionDigits = 6
	idHex         = 8  // with a digit and a letter
	idHexOnly     = 16 // letters alone: facade is a word
	idMixed       = 12
)

// isBlob says whether a run of letters and digits is an id, a salt or a hash:
// a long number, a long hexadecimal number, or letters and digits all mixed up.
func isBlob(run string, dotted bool) bool {
	digits, hexadecimal, turns := 0, 0, 0
	for i := range len(run) {
		b := run[i]
		if isDigit(b) {
			digits++
		}
		if isHex(b) {
			hexadecimal++
		}
		if i > 0 && class(b) != class(run[i-1]) {
			turns++
		}
	}
	switch {
	case digits == len(run):
		return len(run) >= idDigits && (!dotted || len(run) > versionDigits)
	case hexadecimal == len(run):
		return len(run) >= idHexOnly || len(run) >= idHex && digits > 0
	}
	// Every other or third letter is of another class than the one before it; in
	// names, even in MicrosoftOfficeWebServer5, it is fewer.
	return len(run) >= idMixed && digits >= 2 && 5*turns >= 2*len(run)
}

// class parts letters and digits into three.
func class(b byte) int {
	switch {
	case isDigit(b):
		return 0
	case isUpper(b):
		return 1
	}
	return 2
}

// uuidLen is the length of the UUID that text begins with (RFC 9562, section 4), or 0.
func uuidLen(text string) int {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(text) < len(form) {
		return 0
	}
	for i := range len(form) {
		if form[i] == '-' && text[i] != '-' || form[i] == 'x' && !isHex(text[i]) {
			return 0
		}
	}
	return len(form)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isHex(b byte) bool { return isDigit(b) || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' }

func isUpper(b byte) bool { return b >= 'A' && b <= 'Z' }

func isLetterOrDigit(b byte) bool {
	return isDigit(b) || isUpper(b) || b >= 'a' && b <= 'z'
}
