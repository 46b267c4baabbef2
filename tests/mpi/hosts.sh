# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Several hosts on one machine: network namespaces with a link each to a switch, names of their own,
# and no memory shared with each other. Include after common.sh.
# shellcheck disable=SC2154 # scratch, mpi and others are common.sh's

id=$$
hosts=()
switch=dxtsw$id
cable=

hosts_down()
{
    local host
    [[ -n $cable ]] && kill "$cable" 2>/dev/null
    for host in "${hosts[@]}" "$switch"; do ip netns del "$host" 2>/dev/null; done
    finish
}

# hosts_up COUNT: HOST i has the address 10.77.0.(i + 1).
hosts_up()
{
    local i host
    command -v ip >/dev/null || skip "no ip command (iproute2)"
    ip netns add "$switch" 2>"$scratch/err" || skip "network namespaces: $(cat "$scratch/err")"
    trap hosts_down EXIT
    ip -n "$switch" link add bridge type bridge || skip "no bridge between network namespaces"
    ip -n "$switch" link set bridge up
    echo '127.0.0.1 localhost' >"$scratch/hosts"
    for ((i = 0; i < $1; i++)); do
        host=dxt$id-$i
        ip netns add "$host" && hosts+=("$host")
        ip -n "$host" link set lo up
        ip -n "$host" link add eth0 type veth peer name "port$i" netns "$switch" ||
            skip "no links between network namespaces"
        ip -n "$switch" link set "port$i" master bridge up
        ip -n "$host" address add "10.77.0.$((i + 1))/24" dev eth0
        ip -n "$host" link set eth0 up
        echo "10.77.0.$((i + 1)) $host" >>"$scratch/hosts"
    done
    # What mpirun calls instead of rsh.
    cat >"$scratch/rsh" <<END
#!/bin/bash
while [[ \$1 == -* ]]; do shift; done
host=\$1
shift
exec ip netns exec "\$host" unshare --uts --ipc --mount bash -c \
    'hostname "\$1"; mount --bind $scratch/hosts /etc/hosts
     mount --bind /dev/null /etc/resolv.conf; shift; exec bash -c "\$*"' - "\$host" "\$@"
END
    chmod +x "$scratch/rsh"
}

# slow_down HOST MILLISECONDS: what goes from and to a host takes so much longer.
slow_down()
{
    local host=${hosts[$1]} ready
    if ip netns exec "$host" tc qdisc add dev eth0 root netem delay "$2ms" 2>/dev/null; then return; fi
    [[ -w /dev/net/tun ]] || skip "neither netem in this kernel nor /dev/net/tun"
    ip -n "$host" link del eth0
    mkfifo "$scratch/ready"
    "$DXT_BIN_DIR/mpi_slow_link" "$host" "$switch" slow0 "$(($2 * 1000))" >"$scratch/ready" &
    cable=$!
    read -r ready <"$scratch/ready"
    [[ $ready == ready ]] || skip "no slow link"
    ip -n "$switch" link set dev slow0 master bridge
    ip -n "$host" address add "10.77.0.$(($1 + 1))/24" dev slow0
    # It has another address on the wire than the link before.
    for host in "${hosts[@]}"; do ip -n "$host" neighbour flush all; done
}

# launch_on RANKS-PER-HOST PROGRAM…: on all hosts, rank 0 on the first.
launch_on()
{
    local each=$1 list
    shift
    printf -v list "%s:$each," "${hosts[@]}"
    list=${list%,}
    if [[ $mpi == openmpi ]]; then
        "$scratch/rsh" "${hosts[0]}" "$mpirun" "${options[@]}" \
            --mca plm_rsh_agent "$scratch/rsh" --mca pml ob1 --mca btl self,vader,tcp \
            --host "$list" -n $((each * ${#hosts[@]})) "$@"
    else
        # Its transport would use TCP between ranks of one host as well.
        UCX_TLS=tcp,self,sm "$scratch/rsh" "${hosts[0]}" "$mpirun" \
            -launcher rsh -launcher-exec "$scratch/rsh" -hosts "$list" \
            -n $((each * ${#hosts[@]})) "$@"
    fi
}
