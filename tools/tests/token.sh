# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tokens, our own and Python's: what run.sh reads after pki.sh, which makes phone.pub.

# shellcheck source=run.sh
: "${VPNCTL:?is read by run.sh}" "${HERE:?}"

if "$VPNCTL" token show /dev/null 2>&1 | grep -q "without libjwt"; then
	result "token: this tokens # SKIP this vpnctl was compiled without libjwt" 0
	return 0
fi

mkdir tokens && cp phone.pub tokens && cd tokens || return
if python3 -c 'import jwt, cryptography' 2>/dev/null; then
	"$HERE/tokens.py" . >list || result "tokens by Python" 1
else
	: >list
fi
while IFS=$'\t' read -r name sentence arguments; do
	# shellcheck disable=SC2086 # words
	"$VPNCTL" token verify "$name.jwt" $arguments >said 2>&1
	status=$?
	case $sentence in
	"is good"*)	[ $status = 0 ] ;;
	*)		[ $status = 1 ] ;;
	esac && grep -qF -e "$sentence" said
	status=$?
	[ $status = 0 ] || sed 's/^/# said: /' said
	result "token: $name" $status
done <list

# Ours are good, for us and for Python.
(umask 077 && "$VPNCTL" genpsk >ours.secret)
for name in ours.secret rsa.key p256.key p384.key p521.key ed.key; do
	[ -e "$name" ] || continue
	check=${name%.key}
	[ "$check" = "$name" ] || check=$check.pem
	"$VPNCTL" token issue bob --key $name --role guests --audience vpn --issuer here --for 1h \
		--public-key phone.pub --id 7 >bob.jwt
	"$VPNCTL" token verify bob.jwt --key "$check" --audience vpn --issuer here --public-key phone.pub >said
	grep -q "^bob.jwt: is good for 'bob', role 'guests', until" said
	result "token: ours, with $name" $?
	[ -s list ] || continue
	python3 - "$check" <<-END
		import sys, jwt
		key = open(sys.argv[1]).read().strip()
		text = open("bob.jwt").read().strip()
		head = jwt.get_unverified_header(text)
		claims = jwt.decode(text, key, [head["alg"]], audience="vpn", issuer="here")
		assert claims["sub"] == "bob" and claims["role"] == "guests" and claims["jti"] == "7", claims
		assert head["kid"] == "${name%.*}", head
	END
	result "token: ours, with $name, read by Python" $?
done
equal "token: show" "bob guests" "$("$VPNCTL" token show bob.jwt | jq -r '"\(.claims.sub) \(.claims.role)"')"
"$VPNCTL" token issue bob --key ours.secret >bob.jwt
hostile=$(dirname "$UNIT")/hostile
"$VPNCTL" pki issue eve >out
"$hostile" ../pki/ca.crt ../pki/certs/eve.crt ours.secret bob.jwt >said 2>&1
status=$?
sed 's/^/# /' said
result "hostile: none of what is damaged is taken for good" $status
says "token: show what is none" 1 "'phone.pub' is not a token; a token is three parts of base64url with dots between" \
	token show phone.pub
says "token: no key" 2 "a name, and '--key' with a file, are needed" token issue bob
says "token: an algorithm that the key is not for" 1 "'ours.secret' has a key that is not for ES256; it signs with HS256" \
	token issue bob --key ours.secret --algorithm ES256
says "token: an algorithm that there is not" 1 \
	"'ours.secret' cannot sign with 'none', which is not known; without --algorithm it signs with HS256" \
	token issue bob --key ours.secret --algorithm none
cd ..
