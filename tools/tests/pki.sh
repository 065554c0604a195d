# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Certificates, of our own and of openssl: what run.sh reads.

# shellcheck source=run.sh
: "${VPNCTL:?is read by run.sh}"

export VPN_PKI_DIR=$TMP/pki
"$VPNCTL" genkey >phone.key
"$VPNCTL" pubkey <phone.key >phone.pub

# prints TEXT WANTED ARGUMENT...: vpnctl prints that.
prints()
{
	local text=$1 wanted=$2

	shift 2
	equal "$text" "$wanted" "$("$VPNCTL" "$@" 2>&1)"
}

# verdict TEXT PATTERN ARGUMENT...: 'pki verify' says that, and refuses unless it is good.
verdict()
{
	local text=$1 pattern=$2 status

	shift 2
	"$VPNCTL" pki verify "$@" >said 2>&1
	status=$?
	case $pattern in
	"is good"*)	[ $status = 0 ] ;;
	*)		[ $status = 1 ] ;;
	esac && grep -Eq -e "$pattern" said
	status=$?
	[ $status = 0 ] || sed 's/^/# said: /' said
	result "$text" $status
}

says "pki: no CA yet" 1 "'$TMP/pki' cannot be opened: No such file or directory; 'vpnctl pki init' makes a CA there" \
	pki list
says "pki: no such kind of key" 1 "'dsa' is no kind of key for a CA; there are ed25519, ecdsa and rsa" \
	pki init --key dsa
says "pki: an option that there is not" 2 "'--day' is no option; did you mean '--days'?" pki init --day 1
says "pki: a number of days that is none" 1 "--days '0' is not a number of days; it is a number from 1 to 36525" \
	pki init --days 0
for kind in ed25519 ecdsa rsa; do
	rm -rf pki
	"$VPNCTL" pki init --name "Our CA" --key $kind >out
	result "pki: a CA with a key of $kind" $?
	"$VPNCTL" pki issue alice --role staff >out
	result "pki: $kind: a certificate" $?
	verdict "pki: $kind: which is good" "is good for 'alice', role 'staff', until 20" pki/certs/alice.crt
	"$VPNCTL" pki issue bob >out
	"$VPNCTL" pki revoke bob >out
	verdict "pki: $kind: one that was revoked" "certificate was revoked on 20..-..-..$" pki/certs/bob.crt
	command -v openssl >/dev/null || continue
	openssl verify -CAfile pki/ca.crt pki/certs/alice.crt >out 2>&1
	result "pki: $kind: openssl likes it as well" $?
	openssl verify -crl_check -CRLfile pki/crl.pem -CAfile pki/ca.crt pki/certs/bob.crt >out 2>&1
	[ $? = 2 ] && grep -q "certificate revoked" out
	result "pki: $kind: and knows who was revoked" $?
	openssl crl -in pki/crl.pem -noout -crlnumber >before
	"$VPNCTL" pki crl >out
	result "pki: $kind: a revocation list anew" $?
	openssl crl -in pki/crl.pem -noout -crlnumber >out
	! cmp -s before out
	result "pki: $kind: is another one" $?
	verdict "pki: $kind: with who was revoked" "certificate was revoked on" pki/certs/bob.crt
done
says "pki: no second CA there" 1 "there is a CA in '$TMP/pki' already; take another folder, or remove that one" \
	pki init

rm -rf pki
"$VPNCTL" pki init >out
prints "pki: of a public key only" "certificate: $TMP/pki/certs/phone.crt" pki issue phone --public-key phone.pub
[ ! -e pki/keys/phone.key ]
result "pki: no private key is made then" $?
verdict "pki: it is of that key" "is good for 'phone' until" pki/certs/phone.crt --public-key phone.pub
"$VPNCTL" genkey | "$VPNCTL" pubkey >other.pub
verdict "pki: and of no other" "certificate is of another key than the one that shows it$" \
	pki/certs/phone.crt --public-key other.pub
says "pki: a file that has no public key" 1 \
	"--public-key '/dev/null' has no public key in it; it is one line as 'vpnctl pubkey' prints it, or PEM of X25519" \
	pki issue phone --public-key /dev/null
"$VPNCTL" pki issue laptop --days 30 >out
equal "pki: a key for it, for its owner only" "600 44" "$(stat -c %a pki/keys/laptop.key) $(tr -d '\n' <pki/keys/laptop.key | wc -c)"
cp pki/keys/laptop.key before.key
"$VPNCTL" pki issue laptop --days 60 --role staff >out
cmp before.key pki/keys/laptop.key
result "pki: a renewed one is of the same key" $?
equal "pki: the list" "laptop 30 valid
laptop 60 valid
phone 365 valid" "$("$VPNCTL" pki list -j | jq -r '.[] | "\(.name) \((.expires - now) / 86400 + 0.5 | floor) \(.state)"' | sort)"
equal "pki: show" "laptop staff clients" "$("$VPNCTL" pki show -j laptop | jq -r '"\(.name) \(.role) \(.usage)"')"
says "pki: a name with a slash" 1 \
	"name 'a/b' is not right; it becomes the name of files, so it has no '/' and no dot at its beginning" \
	pki issue a/b
says "pki: nobody of that name" 1 \
	"nothing was issued to 'nobody', and it is no serial number; 'vpnctl pki list' shows what there is" \
	pki revoke nobody
prints "pki: revoke all of a name" "laptop: 2 revoked" pki revoke laptop
says "pki: revoke it again" 1 "all that was issued to 'laptop' has been revoked or has expired" pki revoke laptop
"$VPNCTL" pki issue brief --for 60s >out
verdict "pki: too late" "certificate expired on 20..-..-..$" pki/certs/brief.crt --at +2h
verdict "pki: too early" "is not valid before 20..-..-..$" pki/certs/brief.crt --at 2026-01-01
verdict "pki: a client is no server" "certificate is not for servers: its extended key usage does not say so$" \
	pki/certs/brief.crt --server
"$VPNCTL" pki issue gate --host vpn.example.com --host 192.0.2.1 >out
verdict "pki: a server" "is good for 'gate' until" pki/certs/gate.crt --host vpn.example.com
verdict "pki: by its address" "is good for 'gate' until" pki/certs/gate.crt --host 192.0.2.1
verdict "pki: and not by another name" "certificate is not for the host 'www.example.com'$" \
	pki/certs/gate.crt --host www.example.com
verdict "pki: a server is no client" "certificate is not for clients: its extended key usage says otherwise$" \
	pki/certs/gate.crt
verdict "pki: a CA is no client" "certificate has a key of ED25519; the key of X25519 is needed$" pki/ca.crt

"$VPNCTL" profile tablet --server vpn.example.com:51820 --server-certificate pki/certs/gate.crt --role staff >tablet.toml
result "profile: a file for a new client" $?
if [ -n "$VPND" ]; then
	"$VPND" --check tablet.toml >said 2>&1
	equal "profile: which the daemon likes" "tablet.toml: is right, for a client" "$(tail -n 1 said)"
fi
sed -n '/^certificate/,/^"""$/p' tablet.toml | grep -v '"""' >tablet.crt
verdict "profile: with a certificate" "is good for 'tablet', role 'staff'," tablet.crt
says "profile: no server" 2 "a name, and '--server' with HOST:PORT, are needed" profile tablet
says "profile: no port" 1 "--server 'vpn.example.com' is not an endpoint; an endpoint is HOST:PORT, as in vpn.example.com:51820" \
	profile tablet --server vpn.example.com
"$VPNCTL" pki init --dir other >out
verdict "pki: another CA" "certificate is not signed by a CA that is trusted here$" pki/certs/phone.crt --ca other/ca.crt
verdict "pki: a list of another CA" "what is trusted has a revocation list that none of the CAs has signed$" \
	pki/certs/phone.crt --ca pki/ca.crt --crl other/crl.pem
verdict "pki: no list" "what is trusted has no revocation list that can be read; it is PEM$" \
	pki/certs/phone.crt --ca pki/ca.crt --crl pki/ca.crt
verdict "pki: no CA" "what is trusted has no certificate that can be read; it is the certificate of a CA, as PEM$" \
	pki/certs/phone.crt --ca phone.pub
verdict "pki: a client for a CA" "what is trusted has a certificate that may not sign others" \
	pki/certs/phone.crt --ca pki/certs/phone.crt

#
# What openssl makes
#
command -v openssl >/dev/null || return 0

# ssl ARGUMENT...: openssl, which says what it does only if it fails.
ssl() { openssl "$@" >ssl.log 2>&1 || { sed 's/^/# openssl: /' ssl.log; return 1; }; }

# signed NAME CA SUBJECT [EXTENSION...]: NAME.crt, a certificate of NAME.pub by CA.key
signed()
{
	local name=$1 ca=$2 subject=$3

	shift 3
	printf '%s\n' "$@" >"$name.ext"
	[ -e "$name.pub" ] || { ssl genpkey -algorithm X25519 -out "$name.key" &&
		ssl pkey -in "$name.key" -pubout -out "$name.pub"; }
	ssl req -new -newkey ed25519 -nodes -keyout ignored.key -subj "$subject" -utf8 -out "$name.csr" &&
		ssl x509 -req -in "$name.csr" -force_pubkey "$name.pub" -CA "$ca.crt" -CAkey "$ca.key" \
			-days "${DAYS:-30}" -extfile "$name.ext" -out "$name.crt"
}

mkdir ssl && cd ssl || return
AGREE=keyUsage=critical,keyAgreement
for kind in "ed25519" "ec -pkeyopt ec_paramgen_curve:P-256" "rsa:2048"; do
	# shellcheck disable=SC2086 # two words
	ssl req -x509 -newkey $kind -nodes -keyout root.key -out root.crt -days 100 -subj "/CN=Root"
	rm -f one.*
	signed one root "/OU=staff/CN=Jürgen" $AGREE extendedKeyUsage=clientAuth
	verdict "pki: openssl's, ${kind%% *}" "is good for 'Jürgen', role 'staff', until" one.crt --ca root.crt --public-key one.pub
done
signed bare root "/CN=bare"
verdict "pki: without extensions" "is good for 'bare' until" bare.crt --ca root.crt
signed sign root "/CN=x" keyUsage=digitalSignature
verdict "pki: for signing only" "certificate is not for agreeing on keys: its key usage says otherwise$" sign.crt --ca root.crt
signed san root "/O=none" subjectAltName=DNS:laptop.example.com
verdict "pki: named by its SAN" "is good for 'laptop.example.com' until" san.crt --ca root.crt
signed mail root "/O=none" subjectAltName=email:a@example.com
verdict "pki: named by mail" "is good for 'a@example.com' until" mail.crt --ca root.crt
signed nobody root "/O=none"
verdict "pki: named nothing" "certificate names nobody: it has neither one common name nor a host name$" nobody.crt --ca root.crt
signed two root "/CN=a/CN=b"
verdict "pki: named twice" "certificate names nobody" two.crt --ca root.crt
signed roles root "/OU=a/OU=b/CN=a"
verdict "pki: two roles" "certificate has a role that is not one text without control characters$" roles.crt --ca root.crt
signed role root "/OU=a/CN=a" 1.3.6.1.4.1.99999.1=ASN1:UTF8String:guests
verdict "pki: a role in an extension" "is good for 'a', role 'guests'," role.crt --ca root.crt --role-extension 1.3.6.1.4.1.99999.1
verdict "pki: which is not asked for" "is good for 'a', role 'a'," role.crt --ca root.crt
signed number root "/OU=a/CN=a" 1.3.6.1.4.1.99999.1=ASN1:INTEGER:7
verdict "pki: a number in that extension" "certificate has a role that is not one text" number.crt --ca root.crt --role-extension 1.3.6.1.4.1.99999.1
verdict "pki: no extension of that name" "is no object identifier" role.crt --ca root.crt --role-extension role
openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout -out ed.pub 2>/dev/null
signed ed root "/CN=a"
verdict "pki: another curve" "certificate has a key of ED25519; the key of X25519 is needed$" ed.crt --ca root.crt
openssl genpkey -algorithm X448 2>/dev/null | openssl pkey -pubout -out x448.pub 2>/dev/null
signed x448 root "/CN=a"
verdict "pki: a larger curve" "certificate has a key of X448; the key of X25519 is needed$" x448.crt --ca root.crt

# root -> middle -> leaf
ssl req -new -newkey ed25519 -nodes -keyout middle.key -subj /CN=Middle -out middle.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >middle.ext
ssl x509 -req -in middle.csr -CA root.crt -CAkey root.key -days 50 -extfile middle.ext -out middle.crt
signed leaf middle "/CN=leaf"
cat root.crt middle.crt >both.crt
verdict "pki: through one between" "is good for 'leaf' until" leaf.crt --ca both.crt
verdict "pki: which is not known" "certificate is not signed by a CA that is trusted here$" leaf.crt --ca root.crt
verdict "pki: which alone is trusted" "is good for 'leaf' until" leaf.crt --ca middle.crt
verdict "pki: which ends before the leaf" "certificate of 'Middle', which signed it, expired on" leaf.crt --ca both.crt --at +60d
# One that has no right to sign: a client with a key that can.
ssl req -new -newkey ed25519 -nodes -keyout sub.key -subj /CN=Sub -out sub.csr
printf 'basicConstraints=critical,CA:FALSE\n' >sub.ext
ssl x509 -req -in sub.csr -CA root.crt -CAkey root.key -days 50 -extfile sub.ext -out sub.crt
signed by sub "/CN=by"
cat root.crt sub.crt >three.crt
verdict "pki: signed by who may not" "what is trusted has a certificate that may not sign others" by.crt --ca three.crt
ssl req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.crt -days 100 -subj "/CN=Weak"
signed frail weak "/CN=frail"
verdict "pki: a weak CA" "certificate of 'Weak', which signed it, is not right: CA certificate key too weak$" frail.crt --ca weak.crt
cd ..

#
# Killed before any of the calls that put a file in its place: done again, it is done.
#
# killed CALL N ARGUMENT...: vpnctl, until its Nth call of that kind; false: it has not so many.
killed()
{
	strace -qqq -o /dev/null -e signal=none -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
		"$VPNCTL" "${@:3}" >out 2>&1
	[ $? = 137 ]
} 2>err
# cut CALL N: false if neither was killed.
cut_off()
{
	local status=1

	rm -rf cut
	"$VPNCTL" pki init --dir cut >out
	killed "$1" "$2" pki issue carol --dir cut && status=0
	"$VPNCTL" pki issue carol --dir cut >out 2>&1
	"$VPNCTL" pki verify cut/certs/carol.crt --dir cut >out 2>&1 || broken+=" issue:$1:$2"
	killed "$1" "$2" pki revoke carol --dir cut && status=0
	"$VPNCTL" pki revoke carol --dir cut >out 2>&1
	"$VPNCTL" pki verify cut/certs/carol.crt --dir cut >out 2>&1
	grep -q "was revoked on" out || broken+=" revoke:$1:$2"
	return $status
}
if strace -qqq -o /dev/null true 2>err; then
	cuts=0 broken=''
	for call in fsync rename; do
		for n in {1..9}; do
			cut_off $call "$n" || break
			cuts=$((cuts + 1))
		done
	done
	equal "pki: cut off at any moment, it is whole" "" "$broken"
	[ $cuts -ge 8 ]
	result "pki: which was at $cuts moments" $?
fi
rm -rf cut
"$VPNCTL" pki init --dir cut >out
for n in {1..8}; do
	"$VPNCTL" pki issue "n$((n / 2))" --dir cut >out 2>&1 &
done
wait
equal "pki: eight at once are all in the index" 8 "$(sort -u cut/index.txt | wc -l)"
