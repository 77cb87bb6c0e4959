#!/usr/bin/env perl
# A web server in plain Perl: any language will do, if it listens on $PORT.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(
    LocalPort => $ENV{PORT} || 8080,
    Listen    => 128,
    ReuseAddr => 1,
) or die "cannot listen: $!\n";

$SIG{TERM} = sub { exit 0 };

while (my $client = $server->accept) {
    # The readiness check connects and says nothing.
    my $request = <$client>;
    if (defined $request) {
        while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
        my $body = "Hello from Perl!\n";
        print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
            "Content-Length: ", length($body), "\r\nConnection: close\r\n\r\n", $body;
    }
    close $client;
}
