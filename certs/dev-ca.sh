#!/usr/bin/env bash
# Makes a development CA and a server certificate for this machine: `certs/dev-ca.sh [FOLDER]`.
# The keys are made here and now, for tests and trials. Nothing that is deployed may trust this CA.
set -euo pipefail
umask 077

folder=${1:-certs/dev}
days=30
if [ -e "$folder/ca.pem" ]; then
    echo "$folder/ca.pem is there already; remove the folder first" >&2
    exit 1
fi
mkdir -p "$folder"
cd "$folder"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days "$days" \
    -subj "/CN=Boomgate development CA" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout ca.key -out ca.pem 2> /dev/null

openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=localhost" \
    -keyout server.key -out server.csr 2> /dev/null
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" -out server.pem \
    -extfile <(printf '%s\n' \
        "basicConstraints=critical,CA:FALSE" \
        "keyUsage=critical,digitalSignature" \
        "extendedKeyUsage=serverAuth" \
        "subjectAltName=DNS:localhost,DNS:boomgate-management,IP:127.0.0.1,IP:::1") 2> /dev/null
rm server.csr ca.srl

echo "$folder: ca.pem (trust this), server.pem and server.key (for the listeners), valid for $days days"
