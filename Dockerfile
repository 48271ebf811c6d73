# The cluster executable, leases-silo. `docker compose up` builds and runs it; by hand: docker build --tag orleans-leases .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /build
COPY Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY silo-config silo-config
COPY sql sql
COPY src src
RUN dotnet publish src/OrleansLeases.Silo --configuration Release --output /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# The image would have ASP.NET Core listen on 8080 as well; Urls says where.
ENV PATH="/app:$PATH" ASPNETCORE_HTTP_PORTS=""
# HTTP; silo to silo; Orleans clients.
EXPOSE 7400 11111 30000
USER $APP_UID
ENTRYPOINT ["leases-silo"]
CMD ["--config", "/app/silo-config/cluster.json"]
