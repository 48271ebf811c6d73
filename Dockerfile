# The cluster executable, leases-silo. `docker compose up` builds and runs it; by hand: docker build --tag orleans-leases .
# A server on one machine, leases serve: docker build --target server --tag orleans-leases-server:0.1.0 .
# The bases are pinned by tag, and are bumped together with the packages. A tag can be moved: for a build that is the same for ever, name
# the digest as well, as in aspnet:10.0.12@sha256:…, which `docker buildx imagetools inspect` shows.
FROM mcr.microsoft.com/dotnet/sdk:10.0.401 AS source
WORKDIR /build
COPY Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY silo-config silo-config
COPY sql sql
COPY src src

FROM source AS build-server
RUN dotnet publish src/OrleansLeases.Cli --configuration Release --output /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0.12 AS server
WORKDIR /app
COPY --from=build-server /app .
ENV PATH="/app:$PATH" ASPNETCORE_HTTP_PORTS=""
# A new volume has the owner and the mode of what it covers.
RUN mkdir --mode=700 /var/lib/leases && chown $APP_UID /var/lib/leases
EXPOSE 7400
USER $APP_UID
HEALTHCHECK --interval=10s --timeout=10s --retries=3 CMD ["leases", "health"]
ENTRYPOINT ["leases"]
# It does not start like this: say --access FILE, or --insecure on a network that you trust.
CMD ["serve", "--data", "/var/lib/leases", "--urls", "http://0.0.0.0:7400"]

FROM source AS build
RUN dotnet publish src/OrleansLeases.Silo --configuration Release --output /app

# The runtime alone: no compiler, SDK or curl.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12
WORKDIR /app
COPY --from=build /app .
# The image would have ASP.NET Core listen on 8080 as well; Urls says where.
ENV PATH="/app:$PATH" ASPNETCORE_HTTP_PORTS=""
# HTTP; silo to silo; Orleans clients.
EXPOSE 7400 11111 30000
USER $APP_UID
# Orchestrators that have probes of their own ask /health/live and /health/ready instead.
HEALTHCHECK --interval=10s --timeout=10s --start-period=2m --retries=3 CMD ["leases-silo", "health", "--config", "/app/silo-config/cluster.json"]
ENTRYPOINT ["leases-silo"]
CMD ["--config", "/app/silo-config/cluster.json"]
